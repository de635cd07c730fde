import { expect, it } from 'vitest';
import { runCli } from './run-cli.ts';

const PLAN_ID = 'a'.repeat(64);

it.each([
  [['--nonsense'], "unknown option '--nonsense'"],
  [['extra'], 'too many arguments'],
  [['--members', '0'], 'a whole number from 1 to 2000000'],
  [['--port-offset', '1.5'], 'a whole number from 0 to 50000'],
  [['--django', 'registry.example.is', '--token', 't'], 'an address such as https://'],
  [['--django', 'https://registry.example.is'], '--django needs --token, or DJANGO_API_TOKEN'],
  [['--django', 'https://registry.example.is', '--token', 't', '--members', '5'], 'cannot be used with'],
  [['--approve', PLAN_ID, '--dry-run', '--operator', 'A', '--reason', 'b'], 'cannot be used with'],
  [['--approve', PLAN_ID], '--approve needs --operator and --reason'],
  [['--approve', 'all', '--operator', 'A', '--reason', 'b'], 'the 64 digits of a plan id'],
  [
    ['--approve', PLAN_ID, '--operator', 'A', '--reason', '010130-2989 left'],
    "--reason is kept: in words, without anybody's number",
  ],
  [['--operator', 'A'], '--operator and --reason go with --approve'],
])('%j is refused before anything starts', async (args, message) => {
  const { code, stdout, stderr } = await runCli([...args, '--exit'], { DJANGO_API_TOKEN: '' });
  expect(stderr).toContain(message);
  expect(stderr).toContain('--help shows the options');
  expect(stdout).toBe('');
  expect(code).toBe(1);
});

it('a data folder where none can be made is said, and nothing waits for it', async () => {
  const { code, stderr } = await runCli(['--data', '/proc/no-such-folder', '--exit']);
  expect(stderr).toMatch(/\/proc\/no-such-folder cannot be a data folder \(ENOENT\).*--data DIR/);
  expect(code).toBe(1);
});

it('--help shows every option and the exit codes', async () => {
  const { code, stdout } = await runCli(['--help']);
  expect(code).toBe(0);
  for (const option of ['--exit', '--json', '--members', '--django', '--token', '--data', '--dry-run']) {
    expect(stdout).toContain(option);
  }
  expect(stdout).toMatch(/Exit codes with --exit:\s+0 .*\s+1 .*\s+2 /);
});
