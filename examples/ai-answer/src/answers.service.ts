import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { HubService } from 'herald-nest';
import { wordsAbout } from './model.js';

/** Writes answers into topics. It goes on whether somebody reads or not. */
@Injectable()
export class AnswersService {
  private readonly logger = new Logger(AnswersService.name);

  constructor(private readonly hub: HubService) {}

  begin(question: string): string {
    const id = randomUUID();
    this.write(id, question).catch((error: unknown) => this.logger.error(error));
    return id;
  }

  private async write(id: string, question: string): Promise<void> {
    const topics = [`urn:answer:${id}`];
    for await (const word of wordsAbout(question)) {
      await this.hub.publish({ topics, data: JSON.stringify(word) });
    }
    await this.hub.publish({ topics, type: 'end', data: 'null' });
  }
}
