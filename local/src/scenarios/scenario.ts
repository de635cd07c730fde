import type { LocalStack } from '../stack.ts';

/** Shows lines to the person who watches. */
export type Say = (lines: readonly string[]) => void;

/** A tour through a running stack that tells what it does. True when everything was as it should be. */
export type Scenario = (stack: LocalStack, say: Say) => Promise<boolean>;
