import { hostname } from 'node:os';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { JournalUnavailableError } from '../../storage/journal/journal.js';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { RecurringTrouble } from '../../shared/recurring-trouble.js';
import { type LivingProcess, SharedState } from '../../storage/state/shared-state.js';
import { VERSION } from '../../shared/version.js';

/** Milliseconds between two reports of this process to the shared state. */
const INTERVAL = 2_000;

/** The processes of the hub that are alive, this one among them. */
@Injectable()
export class Processes implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly startedAt = new Date(Date.now() - performance.now()).toISOString();
  private readonly trouble = new RecurringTrouble(new Logger(Processes.name), 'reporting this process');
  private timer: NodeJS.Timeout | undefined;
  private telling: Promise<void> | undefined;

  constructor(
    private readonly state: SharedState,
    private readonly streams: StreamRegistry,
  ) {}

  onApplicationBootstrap(): void {
    const tell = (): void => void (this.telling ??= this.tell());
    this.timer = setInterval(tell, INTERVAL).unref();
    tell();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.telling;
  }

  /**
   * Reports this process to the shared state, and returns all processes that are alive.
   * @throws {JournalUnavailableError} while the shared state can't be reached.
   */
  list(): Promise<readonly LivingProcess[]> {
    const { startedAt, streams } = this;
    return this.state.processes({ host: hostname(), version: VERSION, startedAt, connections: streams.size });
  }

  private async tell(): Promise<void> {
    try {
      await this.list();
      this.trouble.isOver();
    } catch (error) {
      if (!(error instanceof JournalUnavailableError)) this.trouble.has(error);
    } finally {
      this.telling = undefined;
    }
  }
}
