import type { Command } from 'commander';
import { pauseAnswer } from '../../../../functions/src/ops/schemas/status.ts';
import type { Cli } from '../cli.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { type Mirror, mirrorArgument } from '../mirror-argument.ts';
import { shownTime } from '../text.ts';

const WORDS = {
  pause: {
    description: 'Stops the runs of this mirror until somebody resumes it.',
    reason: 'registry is being moved',
    question: (mirror: Mirror) => `Pause the ${mirror}: its scheduled runs are skipped?`,
  },
  resume: {
    description: 'Lets the runs of this mirror go on.',
    reason: 'registry has been moved',
    question: (mirror: Mirror) => `Resume the ${mirror}: its next run follows its source again?`,
  },
} as const;

export const addPause = (program: Command, cli: Cli): void => {
  for (const verb of ['pause', 'resume'] as const) {
    const { description, question, reason: because } = WORDS[verb];
    program
      .command(verb)
      .description(description)
      .addArgument(mirrorArgument())
      .requiredOption('--reason <text>', 'why')
      .addHelpText('after', `\nExample:\n  npm run ops -- ${verb} roster --reason "${because}"`)
      .action(
        cli.action(
          async ({ api, confirm, show, commandLine }, mirror: Mirror, { reason }: { reason: string }) => {
            await confirm(question(mirror));
            const answer = await api.post(`/mirrors/${mirror}/${verb}`, { reason }, pauseAnswer);
            show(answer, () =>
              answer.paused === null
                ? [
                    `The ${mirror} runs by its schedule again. What its next run would change:`,
                    `  ${commandLine(`plan ${mirror}`)}`,
                  ]
                : [
                    `The ${mirror} is paused since ${shownTime(answer.paused.since)} by ${answer.paused.by}:`,
                    `  ${answer.paused.reason}`,
                  ],
            );
            return EXIT_CODES.done;
          },
        ),
      );
  }
};
