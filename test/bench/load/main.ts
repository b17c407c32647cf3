import type { LoadCommandName, LoadCommands, LoadReply, LoadRequest } from './commands.js';
import { streamUpdates } from './batch-stream.js';
import { Generator } from './generator.js';
import type { Target } from './target.js';

/** The load generator's own process: it does what it is told over its channel, one command after the other. */
type Actions = {
  readonly [Name in LoadCommandName]: (
    command: LoadCommands[Name]['command'],
  ) => Promise<LoadCommands[Name]['answer']> | LoadCommands[Name]['answer'];
};

let generator: Generator | undefined;

function current(): Generator {
  if (generator === undefined) throw new Error('the load generator has no target yet');
  return generator;
}

const actions: Actions = {
  target: (target: Target) => {
    generator = new Generator(target);
    return null;
  },
  open: async (command) => {
    await current().open(command);
    return null;
  },
  close: () => {
    current().close();
    return null;
  },
  stall: ({ every }) => {
    current().stall(every);
    return null;
  },
  watch: (options) => {
    current().watch(options);
    return null;
  },
  flood: (command) => current().flood(command),
  fill: (command) => current().fill(command),
  stream: async (command) => {
    await streamUpdates(current().target, command);
    return null;
  },
  pace: (command) => current().pace(command),
  settle: ({ events, maxSeconds }) => current().settle(events, maxSeconds),
  mark: ({ bytes, topic }) => current().mark(bytes, topic),
  order: () => current().tally.orderFindings(),
  latency: () => current().tally.latencyFindings(),
  durations: () => current().durationsFound(),
};

async function reply({ name, command }: LoadRequest): Promise<LoadReply> {
  try {
    // The other end of the channel types each command by its name (load-process.ts).
    const act = actions[name] as (command: unknown) => unknown;
    return { answer: await act(command) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', (request: LoadRequest) => {
  void reply(request).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit(0));
