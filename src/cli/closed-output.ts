import process from 'node:process';
import { messageOf } from '../shared/errors/message-of.js';

/** What a shell reports of a program that SIGPIPE has ended, as it ends other tools: 128 and the signal's number. */
const BROKEN_PIPE = 141;
const FAILED = 1;

/** Commands that change something. What they have begun is brought to its end, whether anybody listens or not. */
const CHANGING: ReadonlySet<string> = new Set([
  'publish',
  'journal import',
  'journal purge',
  'journal compact',
  'journal backup',
]);

/**
 * Decides what happens when nobody reads the output any more, as in `herald journal export PATH | head -1`: a command that
 * only tells something ends at once, without a word and with status 141; one that changes something goes on to its end,
 * and its status is its own.
 */
export function handleClosedOutput(args: readonly string[]): void {
  const goesOn = CHANGING.has(args[0] ?? '') || CHANGING.has(args.slice(0, 2).join(' '));
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') {
      process.stderr.write(`The output can't be written: ${messageOf(error)}.\n`);
      process.exit(FAILED);
    }
    if (!goesOn) process.exit(BROKEN_PIPE);
  };
  process.stdout.on('error', onError);
  // What can't be told there can't be told anywhere.
  process.stderr.on('error', () => (goesOn ? undefined : process.exit(BROKEN_PIPE)));
}
