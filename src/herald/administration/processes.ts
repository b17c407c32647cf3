import { hostname } from 'node:os';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { JournalOpenError, JournalUnavailableError } from '../../storage/journal/journal.js';
import { RecurringTrouble } from '../../shared/recurring-trouble.js';
import type { LivingProcess } from '../../storage/state/shared-state.js';
import { VERSION } from '../../shared/version.js';
import { HUB_PARTS, type HubParts } from '../module/hub-parts.js';

/** Milliseconds between two reports of this process to the shared state. */
const INTERVAL = 2_000;

/** The format of the log that this version reads: since 2, comings and goings lie in a store of their own. */
const LOG_FORMAT = 2;

/** Milliseconds that the start waits for older processes to be gone: the state knows one for 5 s after its last report. */
const PATIENCE = 8_000;
const LOOK = 500;

/** The processes of the hub that are alive, this one among them. */
@Injectable()
export class Processes implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly startedAt = new Date(Date.now() - performance.now()).toISOString();
  private readonly trouble = new RecurringTrouble(new Logger(Processes.name), 'reporting this process');
  private readonly logger = new Logger(Processes.name);
  private timer: NodeJS.Timeout | undefined;
  private telling: Promise<void> | undefined;
  private hasWarned = false;

  constructor(@Inject(HUB_PARTS) private readonly parts: HubParts) {}

  /** @throws {JournalOpenError} when an older process is alive that can't read what this one would store. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.parts.hub.presence) await this.refuseBesideOlder();
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
    const { startedAt } = this;
    const { state, streams } = this.parts;
    const connections = streams.size;
    return state.processes({ host: hostname(), version: VERSION, startedAt, connections, format: LOG_FORMAT });
  }

  private async refuseBesideOlder(): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    for (let older = await this.older(); older;) {
      if (performance.now() > deadline) throw new JournalOpenError(besideOlder(older));
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await delay(LOOK);
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      older = await this.older();
    }
  }

  /** A process that is alive and can't read where comings and goings are kept now. */
  private async older(): Promise<LivingProcess | undefined> {
    return (await this.list()).find(({ format = 1 }) => format < LOG_FORMAT);
  }

  /** Says once that an older process has been started beside this one. */
  private warnOfOlder(processes: readonly LivingProcess[]): void {
    const older = processes.find(({ format = 1 }) => format < LOG_FORMAT);
    if (!older || this.hasWarned || !this.parts.hub.presence) return;
    this.hasWarned = true;
    this.logger.error(besideOlder(older));
  }

  private async tell(): Promise<void> {
    try {
      this.warnOfOlder(await this.list());
      this.trouble.isOver();
    } catch (error) {
      if (!(error instanceof JournalUnavailableError)) this.trouble.has(error);
    } finally {
      this.telling = undefined;
    }
  }
}

function besideOlder({ host, version, startedAt }: LivingProcess): string {
  return (
    `An older build of Herald (${version} on ${host}, started ${startedAt}) uses the same Redis, and can't read a log in ` +
    'which it is stored who is subscribed: end that one first, or set HERALD_SUBSCRIPTIONS=false here until it is gone.'
  );
}
