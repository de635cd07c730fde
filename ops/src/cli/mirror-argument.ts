import { Argument, Option } from 'commander';
import { mirrorName } from '../../../functions/src/ops/schemas/common.ts';

export type Mirror = (typeof mirrorName.options)[number];

const NAMES = [...mirrorName.options];

export const mirrorArgument = (): Argument => new Argument('<mirror>', 'which mirror').choices(NAMES);

export const mirrorOption = (): Option => new Option('--mirror <name>', 'of one mirror').choices(NAMES);
