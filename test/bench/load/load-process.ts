import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LOAD_CORE, startProgram, type Program } from '../processes.js';
import type { LoadCommandName, LoadCommands, LoadReply, LoadRequest } from './commands.js';
import type { Target } from './target.js';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

/** The load generator as the scenarios see it: a process of its own on its own core, that is told what to do. */
export class LoadProcess {
  private constructor(private readonly program: Program) {}

  /** Starts it for one target. */
  static async start(target: Target): Promise<LoadProcess> {
    const program = startProgram(LOAD_CORE, [process.execPath, MAIN], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const load = new LoadProcess(program);
    await load.tell('target', target);
    return load;
  }

  get pid(): number {
    return this.program.pid;
  }

  /** Sends one command and resolves with its answer; one at a time. Rejects when it fails or the process ends. */
  async tell<Name extends LoadCommandName>(
    name: Name,
    command: LoadCommands[Name]['command'],
  ): Promise<LoadCommands[Name]['answer']> {
    const abort = new AbortController();
    try {
      const ended = once(this.program.child, 'exit', { signal: abort.signal }).then(() => {
        throw new Error(`the load generator ended during "${name}"`);
      });
      const answered = once(this.program.child, 'message', { signal: abort.signal });
      this.program.child.send({ name, command } satisfies LoadRequest);
      // The process answers with nothing else (load/main.ts).
      const [reply] = (await Promise.race([answered, ended])) as [LoadReply];
      if ('error' in reply) throw new Error(`${name}: ${reply.error}`);
      return reply.answer as LoadCommands[Name]['answer'];
    } finally {
      abort.abort();
    }
  }

  async stop(): Promise<void> {
    await this.program.stop();
  }
}
