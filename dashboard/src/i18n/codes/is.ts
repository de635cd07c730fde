import { explainIs } from './explain-is.ts';
import { failuresIs } from './failures-is.ts';
import type { CodeTexts } from './kinds.ts';
import { statesIs } from './states-is.ts';

export const codesIs: CodeTexts = { ...statesIs, ...explainIs, ...failuresIs };
