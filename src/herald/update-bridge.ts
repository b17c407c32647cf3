import { Logger } from '@nestjs/common';
import type { HubService } from '../hub/service/hub.service.js';
import type { UpdateDraft } from '../hub/update/check-update.js';
import { RepeatedLines } from '../shared/log/repeated-lines.js';

/** Updates of one bridge that may wait for the journal. What comes on top of them is not published. */
const MOST_UNDER_WAY = 10_000;

/**
 * Publishes what happens in the application, at most once: what fails is logged, at most once a minute for each event, and
 * not tried again.
 */
export class UpdateBridge {
  private readonly logger = new Logger(UpdateBridge.name);
  private readonly failures = new RepeatedLines((line) => this.logger.error(line));
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly hub: HubService) {}

  /**
   * Makes the update at once, so that events keep their order, and nobody changes one before it is published. Resolves once
   * it is stored or has failed, and never rejects.
   */
  publish(event: string, draftOf: () => UpdateDraft | undefined): Promise<void> {
    const publishing = this.tryToPublish(event, draftOf).finally(() => this.underWay.delete(publishing));
    this.underWay.add(publishing);
    return publishing;
  }

  /** Resolves once everything that is under way is stored, or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private async tryToPublish(event: string, draftOf: () => UpdateDraft | undefined): Promise<void> {
    try {
      if (this.underWay.size >= MOST_UNDER_WAY) throw new Error('Too many updates wait for the journal already.');
      const draft = draftOf();
      if (draft) await this.hub.publish(draft);
    } catch (error) {
      this.failures.log({ msg: 'an event was not published', event, err: error }, event);
    }
  }
}
