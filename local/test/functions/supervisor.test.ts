import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { FunctionsProcess } from '../../src/functions/child-process.ts';
import { makeSupervisor } from '../../src/functions/supervisor.ts';

/** A process that ends when it is told to, and the record of what was started. */
function makeFakeSpawn() {
  const ends: ((how: string) => void)[] = [];
  const spawn = vi.fn(async (): Promise<FunctionsProcess> => {
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    ends.push(resolve);
    const end = async () => {
      resolve('SIGKILL');
      await ended;
    };
    return { port: 1, endpoints: [], ended, stop: end, kill: end };
  });
  return { spawn, crash: () => ends.at(-1)?.('exit code 16') };
}

const onLog = vi.fn();
beforeEach(() => {
  vi.useFakeTimers();
  onLog.mockClear();
});
afterEach(() => vi.useRealTimers());

const delays = () => onLog.mock.calls.map(([line]) => line.delayMs);

it('a process that ends by itself is started again, later each time, and at most every ten seconds', async () => {
  const { spawn, crash } = makeFakeSpawn();
  const supervisor = makeSupervisor(spawn, onLog);
  await supervisor.start();
  for (let ends = 1; ends <= 8; ends += 1) {
    crash();
    await vi.runAllTimersAsync();
    expect(spawn).toHaveBeenCalledTimes(ends + 1);
  }
  expect(delays()).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
});

it('a process that had run for long is started again soon', async () => {
  const { spawn, crash } = makeFakeSpawn();
  const supervisor = makeSupervisor(spawn, onLog);
  await supervisor.start();
  crash();
  await vi.runAllTimersAsync();
  await vi.advanceTimersByTimeAsync(60_000);
  crash();
  await vi.runAllTimersAsync();
  expect(delays()).toEqual([200, 200]);
});

it('a process that is killed on purpose is not reported, also when it is started again at once', async () => {
  const { spawn } = makeFakeSpawn();
  const supervisor = makeSupervisor(spawn, onLog);
  await supervisor.start();
  await Promise.all([supervisor.kill(), supervisor.start()]);
  await vi.runAllTimersAsync();
  expect(onLog).not.toHaveBeenCalled();
  expect(spawn).toHaveBeenCalledTimes(2);
  expect(supervisor.running).toBe(true);
});

it('a restart that fails is tried again, until an end is asked for', async () => {
  const { spawn, crash } = makeFakeSpawn();
  const supervisor = makeSupervisor(spawn, onLog);
  await supervisor.start();
  spawn.mockRejectedValueOnce(new Error('broken'));
  crash();
  await vi.runAllTimersAsync();
  expect(spawn).toHaveBeenCalledTimes(3);
  expect(supervisor.running).toBe(true);

  const { promise, reject } = Promise.withResolvers<FunctionsProcess>();
  spawn.mockReturnValueOnce(promise);
  crash();
  await vi.runAllTimersAsync();
  const stopped = supervisor.stop();
  reject(new Error('broken'));
  await stopped;
  await vi.runAllTimersAsync();
  expect(spawn).toHaveBeenCalledTimes(4);
  expect(supervisor.running).toBe(false);
});

it('a first start that fails is the caller’s to know, and is not repeated', async () => {
  const spawn = vi.fn().mockRejectedValue(new Error('broken'));
  const supervisor = makeSupervisor(spawn, onLog);
  await expect(supervisor.start()).rejects.toThrow('broken');
  await vi.runAllTimersAsync();
  expect(spawn).toHaveBeenCalledTimes(1);
});
