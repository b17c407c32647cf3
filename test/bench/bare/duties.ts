import { createHmac, randomUUID } from 'node:crypto';
import { DutyLog, type Update } from './duty-log.js';
import { DutyStreams } from './duty-streams.js';

/** Bytes that a body, or a line of a batch, may have. */
export const BODY = 1024 ** 2;
const TOPIC = 4_096;

export interface Grants {
  readonly topics: readonly string[];
  readonly until: number;
}

interface Line {
  readonly topic: unknown;
  readonly data: unknown;
  readonly key: string;
}

/** What a hub owes its users for each publication, line of a batch and stream, whatever server asks for it. */
export class Duties {
  readonly streams = new DutyStreams();
  readonly log = new DutyLog((update, topic) => this.streams.send(update, topic));
  /** Tokens that have been verified. */
  private readonly verified = new Map<string, Grants>();
  private requests = 0;

  /** @param secret that tokens are signed with. */
  constructor(private readonly secret: string) {}

  /** What a request may publish; undefined where its token is none. */
  grantsOf(authorization = ''): Grants | undefined {
    const known = this.verified.get(authorization) ?? this.verify(authorization);
    return known && known.until > Date.now() ? known : undefined;
  }

  /** Publishes what a form asks for, and answers with the id; throws where something is wrong with it. */
  publish(body: string, grants: Grants): string {
    const fields = new URLSearchParams(body);
    return this.log.append(checked(fields.get('topic'), fields.get('data'), grants), undefined);
  }

  /** Publishes a line of a batch, and gives the line of the answer. */
  publishLine(line: string, grants: Grants): string {
    try {
      const { topic, data, key } = JSON.parse(line) as Line;
      return JSON.stringify({ id: this.log.append(checked(topic, data, grants), key) });
    } catch (error) {
      return JSON.stringify({ error: String(error) });
    }
  }

  /** The headers of an answer, with a name of the request. */
  headersOf(type: string): Record<string, string> {
    this.requests += 1;
    return {
      'cache-control': 'private',
      'x-content-type-options': 'nosniff',
      'content-type': type,
      'x-request-id': `x-${this.requests}`,
    };
  }

  private verify(authorization: string): Grants | undefined {
    const [, head, payload = '', signature] = /^bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/i.exec(authorization) ?? [];
    const expected = createHmac('sha256', this.secret).update(`${head}.${payload}`).digest('base64url');
    if (signature !== expected) return undefined;
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Grants;
    this.verified.set(authorization, claims);
    return claims;
  }
}

/** An update as it is stored; throws where something is wrong with it. */
function checked(topic: unknown, data: unknown, { topics }: Grants): Update {
  if (typeof topic !== 'string' || topic === '' || topic.length > TOPIC || /\p{Cc}/u.test(topic))
    throw new Error('topic');
  if (typeof data !== 'string') throw new Error('data');
  if (!topics.includes('*') && !topics.includes(topic)) throw new Error('scope');
  return { id: `urn:uuid:${randomUUID()}`, topic, data };
}
