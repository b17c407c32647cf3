import { Injectable } from '@nestjs/common';
import { type Grants, GrantsResolver } from 'herald-nest';
import { Sessions } from './sessions.js';
import { topicOf } from './topics.js';

/** What a customer may read: the private updates about their own orders. Nobody publishes from a browser. */
@Injectable()
export class CustomerGrants extends GrantsResolver {
  constructor(private readonly sessions: Sessions) {
    super();
  }

  override resolve(request: Parameters<GrantsResolver['resolve']>[0]): Grants | undefined {
    const name = this.sessions.nameOf(request);
    if (name === undefined) return undefined;
    const own = topicOf(name, '');
    return {
      subject: name,
      readKey: name,
      canPublish: () => false,
      canRead: (topics) => topics.some((topic) => topic.startsWith(own)),
    };
  }
}
