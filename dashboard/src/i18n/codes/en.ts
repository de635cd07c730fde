import { explainEn } from './explain-en.ts';
import { failuresEn } from './failures-en.ts';
import type { CodeTexts } from './kinds.ts';
import { statesEn } from './states-en.ts';

export const codesEn: CodeTexts = { ...statesEn, ...explainEn, ...failuresEn };
