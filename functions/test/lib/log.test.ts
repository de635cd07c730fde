import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type LogSink, severityOfFault } from '../../src/lib/log.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('a fault is an error once in ten minutes for each cause, and a warning in between', () => {
  const log: LogSink = () => undefined;
  const told = (cause: string) => severityOfFault(log, cause);
  expect([told('a'), told('a'), told('b'), told('a')]).toEqual(['ERROR', 'WARNING', 'ERROR', 'WARNING']);
  vi.advanceTimersByTime(10 * 60_000 - 1);
  expect(told('a')).toBe('WARNING');
  vi.advanceTimersByTime(1);
  expect([told('a'), told('a')]).toEqual(['ERROR', 'WARNING']);
  // Another process, and another test, tells for itself.
  expect(severityOfFault(() => undefined, 'a')).toBe('ERROR');
});
