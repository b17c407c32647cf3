import { Injectable, Logger } from '@nestjs/common';
import { HubError } from '../../access/hub.errors.js';
import { type Revocation, TokenRevocations } from '../../access/token-revocations.js';
import { type OpenStream, StreamRegistry } from '../../streams/registry/stream-registry.js';
import type { Removed } from '../history/removal.js';
import { WILDCARD } from '../matching/matcher.js';
import { HistoryService } from './history.service.js';
import {
  type ConnectionCriteria,
  type ConnectionsPage,
  type ConnectionsRequest,
  detailOf,
  type HubConnection,
  rowOf,
} from './hub-connection.js';

/** Connections, and bytes of them, of one answer. */
const LARGEST_PAGE = 1_000;
const PAGE_BYTES = 256 * 1024;

/** Which held updates are meant: all that have one of these ids or topics, or a topic that the URL Pattern matches. */
export interface PurgeCriteria {
  readonly ids?: string | readonly string[] | undefined;
  readonly topics?: string | readonly string[] | undefined;
  readonly pattern?: string | undefined;
}

/** What administrators do, of which {@link HubService} says what is promised. */
@Injectable()
export class Administration {
  private readonly logger = new Logger(Administration.name);

  /** @internal Nest calls it. */
  constructor(
    private readonly streams: StreamRegistry,
    private readonly revocations: TokenRevocations,
    private readonly history: HistoryService,
  ) {}

  connections({ limit = 100, after = 0, ...criteria }: ConnectionsRequest = {}): ConnectionsPage {
    const connections: HubConnection[] = [];
    const total = this.streams.size;
    const most = Math.min(limit, LARGEST_PAGE);
    let bytes = 0;
    for (const stream of this.streams.after(after)) {
      if (!isMeant(stream, criteria)) continue;
      if (connections.length >= most || bytes >= PAGE_BYTES) {
        return { connections, total, next: connections.at(-1)?.id ?? after };
      }
      const row = rowOf(stream);
      bytes += JSON.stringify(row).length;
      connections.push(row);
    }
    return { connections, total, next: undefined };
  }

  connection(id: number): HubConnection | undefined {
    const [stream] = this.streams.after(id - 1);
    return stream?.serial === id ? detailOf(stream) : undefined;
  }

  disconnect(criteria: ConnectionCriteria): number {
    if (!isAnyGiven(criteria)) {
      throw new HubError('criteria-missing', 'Say whose connections are meant: by subject, issuer, token or number.');
    }
    const disconnected = this.streams.endWhere((stream) => isMeant(stream, criteria), 'dismissed');
    this.logger.log({ msg: 'connections dismissed', disconnected });
    return disconnected;
  }

  async revoke(revocation: Revocation): Promise<number> {
    const { tokenId, issuer, subject, issuedBefore } = revocation;
    if (!isAnyGiven({ tokenId, issuer, subject, issuedBefore })) {
      throw new HubError(
        'criteria-missing',
        'Say which tokens are meant: by their id, issuer, subject or time of issue.',
      );
    }
    const disconnected = await this.revocations.add(revocation);
    this.logger.log({ msg: 'tokens revoked', disconnected });
    return disconnected;
  }

  async purge(criteria: PurgeCriteria): Promise<number> {
    const wanted = removedBy(criteria);
    if (wanted.length === 0) {
      throw new HubError('criteria-missing', 'Say which updates are meant: by ids, topics or a pattern.');
    }
    let removed = 0;
    for (const one of wanted) {
      // The log says what was taken out, and never what was in it.
      // oxlint-disable-next-line no-await-in-loop -- none is found twice then
      removed += await this.history.remove(one, (ids) => this.logger.log({ msg: 'updates removed', ids }));
    }
    return removed;
  }
}

function isAnyGiven(criteria: object): boolean {
  return Object.values(criteria).some((value) => value !== undefined);
}

function isMeant({ info, serial }: OpenStream, criteria: ConnectionCriteria): boolean {
  const { subject, issuer, tokenId, connection } = criteria;
  if (issuer !== undefined && info.caller.issuer !== issuer) return false;
  if (subject !== undefined && info.caller.subject !== subject) return false;
  if (tokenId !== undefined && info.caller.tokenId !== tokenId) return false;
  return connection === undefined || serial === connection;
}

function removedBy({ ids = [], topics = [], pattern }: PurgeCriteria): Removed[] {
  const texts = [topics, pattern ?? []].flat(2);
  // Taking out everything must be meant, and a wildcard is easily given by mistake.
  if (texts.includes(WILDCARD)) throw new HubError('criteria-invalid', 'The wildcard means every update: name them.');
  return [
    ...[ids].flat().map((id) => ({ id })),
    ...[topics].flat().map((topic) => ({ topic })),
    ...(pattern === undefined ? [] : [{ urlPattern: pattern }]),
  ];
}
