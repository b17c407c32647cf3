import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Herald, startHerald } from '../../support/herald.js';
import { type JournalName, openJournal, type SoakJournal } from '../journals.js';
import { KEY_ENVIRONMENT } from '../tokens.js';

const PRELOAD = fileURLToPath(new URL('../../../test/soak/', import.meta.url));

/** Ticks of the kernel's clock in a second. */
const TICKS = 100;

/**
 * Everything that is kept for a time or up to a size is over within a minute, so that the log is full, and trimmed all the
 * time, before the first figures are taken.
 */
const ENVIRONMENT = {
  ...KEY_ENVIRONMENT,
  NODE_ENV: 'production',
  HOST: '127.0.0.1',
  LOG_LEVEL: 'info',
  HERALD_SUBSCRIPTIONS: 'true',
  HERALD_SUBSCRIPTIONS_GRACE: '2s',
  HERALD_RETAIN_BYTES: '8mb',
  HERALD_RETAIN_AGE: '1m',
  HERALD_PRESENCE_RETAIN_AGE: '20s',
  HERALD_RECENT_BYTES: '3mb',
  HERALD_WRITE_TIMEOUT: '10s',
  HERALD_MAX_CONNECTIONS_PER_SUBJECT: '20',
  HERALD_HEARTBEAT: '15s',
};

/** What a hub takes at one moment, most of it once its garbage was collected. */
export interface Sample {
  /** Minutes since the load began. */
  readonly minutes: number;
  /** Bytes: the heap, and what lies outside of it. */
  readonly heap: number;
  readonly external: number;
  /** Bytes that are resident and the process's own, and those that are pages of files. */
  readonly resident: number;
  readonly files: number;
  readonly handles: number;
  readonly sockets: number;
  readonly descriptors: number;
  /** Streams that readers have open. */
  readonly streams: number;
  /** Bytes that the journal takes outside of the process. */
  readonly journal: number;
  /** Seconds of CPU since the start of the process. */
  readonly cpu: number;
}

interface Answer {
  readonly memory: NodeJS.MemoryUsage;
  readonly handles: Readonly<Record<string, number>>;
}

export interface HubOptions {
  readonly journal: JournalName;
  /** Streams have no longest life: who stays, stays on one connection. */
  readonly isIdle: boolean;
  /** It forgets to let go of something. */
  readonly leaks: boolean;
}

/** A built service that can be told to collect its garbage, on a journal of its own. `await using` ends both. */
export class SoakHub implements AsyncDisposable {
  private readonly ended: Promise<never>;

  private constructor(
    private readonly herald: Herald,
    private readonly journal: SoakJournal,
  ) {
    this.ended = once(herald.child, 'close').then(() => {
      throw new Error(`the hub has ended:\n${herald.logs().slice(-2_000)}`);
    });
    // Nobody may be waiting for it at the moment.
    this.ended.catch(() => undefined);
  }

  static async start({ journal: name, isIdle, leaks }: HubOptions): Promise<SoakHub> {
    const journal = await openJournal(name);
    const preloads = ['probe.js', ...(leaks ? ['leak.js'] : [])].map((file) => `--import=${PRELOAD}${file}`);
    const env = { ...ENVIRONMENT, HERALD_JOURNAL: journal.url, HERALD_MAX_AGE: isIdle ? '0' : '4m' };
    try {
      return new SoakHub(await startHerald({ env, nodeArguments: preloads }), journal);
    } catch (error) {
      await journal[Symbol.asyncDispose]();
      throw error;
    }
  }

  get url(): string {
    return this.herald.url;
  }

  /** @param collections how often garbage is collected before. */
  async sample(minutes: number, streams: number, collections: number): Promise<Sample> {
    const { memory, handles } = await this.ask({ collections });
    const [status, descriptors, journal, cpu] = await Promise.all([
      this.proc('status'),
      readdir(`/proc/${this.herald.pid}/fd`),
      this.journal.size(),
      this.cpu(),
    ]);
    const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return {
      minutes,
      heap: memory.heapUsed,
      external: memory.external,
      resident: kilobytes('RssAnon') * 1_024,
      files: kilobytes('RssFile') * 1_024,
      handles: Object.values(handles).reduce((sum, count) => sum + count, 0),
      sockets: handles['TCPSocketWrap'] ?? 0,
      descriptors: descriptors.length,
      streams,
      journal,
      cpu,
    };
  }

  /** Has the heap written to a file, to see what is in it. */
  async snapshot(file: string): Promise<void> {
    await this.ask({ collections: 3, snapshot: file });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.herald[Symbol.asyncDispose]();
    await this.journal[Symbol.asyncDispose]();
  }

  private async ask(question: object): Promise<Answer> {
    const { child } = this.herald;
    const answered = once(child, 'message') as Promise<[Answer]>;
    if (child.connected) child.send(question);
    const [answer] = await Promise.race([answered, this.ended]);
    return answer;
  }

  private async cpu(): Promise<number> {
    const stat = await this.proc('stat');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  }

  private proc(name: string): Promise<string> {
    return readFile(`/proc/${this.herald.pid}/${name}`, 'utf8');
  }
}
