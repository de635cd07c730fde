import { expect, it } from 'vitest';
import { parseLogLine } from '../../src/functions/log-lines.ts';

it.each([
  ['{"severity":"ERROR","message":"m","count":2}', { severity: 'ERROR', message: 'm', count: 2 }],
  ['{"message":"m"}', { severity: 'INFO', message: 'm' }],
  ['{"severity":"LOUD","message":"m"}', { severity: 'INFO', message: 'm' }],
  ['{"severity":"DEBUG"}', { severity: 'DEBUG', message: '' }],
  ['plain text', { severity: 'INFO', message: 'plain text' }],
  ['{ not JSON', { severity: 'INFO', message: '{ not JSON' }],
  ['[1]', { severity: 'INFO', message: '[1]' }],
])('the line %s', (line, expected) => {
  expect(parseLogLine(line, 'INFO')).toEqual(expected);
});
