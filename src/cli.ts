#!/usr/bin/env node
import process from 'node:process';
import { checkCommand } from './cli/check-command.js';
import { handleClosedOutput } from './cli/closed-output.js';
import { explainCommand } from './cli/explain-command.js';
import { doctorCommand } from './cli/doctor-command.js';
import { tailCommand } from './cli/tail-command.js';
import { tokenCommand } from './cli/token-command.js';
import { warnTo } from './cli/command-log.js';
import { type Command, UsageError } from './cli/command.js';
import { journalCommand } from './cli/journal-command.js';
import { publishCommand } from './cli/publish-command.js';
import { ConfigError } from './config/config.js';
import { VERSION } from './shared/version.js';

const COMMANDS: Readonly<Record<string, Command>> = {
  token: tokenCommand,
  explain: explainCommand,
  publish: (args, surroundings) => publishCommand(args, surroundings, process.stderr),
  tail: (args, { env }) => tailCommand(args, env, { output: process.stdout, errors: process.stderr }),
  doctor: doctorCommand,
  check: checkCommand,
  journal: (args) => {
    warnTo(process.stderr);
    return journalCommand([...args], process.stdout, process.stderr);
  },
};

const USAGE = `Usage: herald COMMAND

  token     mint a token with the configured key
  explain   say what a token may do with a topic, and why not
  publish   publish updates, one JSON object a line of the input
  tail      follow a hub, and print its updates as they come
  doctor    try what a hub needs, through the proxy too, and say what to change
  check     say whether the service could start with this environment
  journal   look after the files of a service: stats, verify, export, import, purge, compact, backup

Each command tells its options with --help; herald --version tells the version. The configuration is read from the environment, as the service does.
`;

const TOLD: ReadonlyMap<string, string> = new Map([
  ['--version', `herald ${VERSION}\n`],
  ['--help', USAGE],
  ['help', USAGE],
]);

/** Exit statuses of sysexits.h. */
const BAD_USAGE = 64;
const BAD_CONFIG = 78;

const given = process.argv.slice(2);
handleClosedOutput(given);
process.exitCode = await run(given);
// A command may end before its input does, which would keep the process alive.
process.stdin.destroy();

async function run([name = '', ...args]: readonly string[]): Promise<number> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) return tell(name);
  try {
    return await command(args, { env: process.env, input: process.stdin, output: process.stdout });
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error instanceof UsageError ? BAD_USAGE : BAD_CONFIG;
  }
}

/** Tells what was asked for that is no command, or else how the program is called. */
function tell(name: string): number {
  const told = TOLD.get(name);
  (told === undefined ? process.stderr : process.stdout).write(told ?? USAGE);
  return told === undefined ? BAD_USAGE : 0;
}
