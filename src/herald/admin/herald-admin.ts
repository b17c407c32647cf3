import { Injectable, Logger } from '@nestjs/common';
import { HubError } from '../../access/hub.errors.js';
import { type Revocation, Revocations } from '../../auth/revocations/revocations.js';
import { TrustedIssuers } from '../../auth/tokens/trusted-issuers.js';
import type { Removed } from '../../hub/history/removal.js';
import { WILDCARD } from '../../hub/matching/matcher.js';
import { HistoryService } from '../../hub/service/history.service.js';
import { type OpenStream, StreamRegistry } from '../../streams/registry/stream-registry.js';
import { detailOf, type HubConnection, rowOf } from './hub-connection.js';

/** Connections, and bytes of them, of one answer. */
const LARGEST_PAGE = 1_000;
const PAGE_BYTES = 256 * 1024;

/** Whose connections are meant: those of whom all that is given here is true. */
export interface ConnectionCriteria {
  readonly subject?: string | undefined;
  readonly issuer?: string | undefined;
  /** The id of the token (`jti`). */
  readonly tokenId?: string | undefined;
  /** The number of one connection. */
  readonly connection?: number | undefined;
}

export interface ConnectionsRequest extends ConnectionCriteria {
  /** At most so many, up to 1,000. Default: 100. */
  readonly limit?: number | undefined;
  /** Only connections with a higher number: `next` of the page before. */
  readonly after?: number | undefined;
}

export interface ConnectionsPage {
  /** Oldest first, fewer than asked for where their texts are long. */
  readonly connections: readonly HubConnection[];
  /** All that are open, whosever they are. */
  readonly total: number;
  /** Undefined where there are no more. */
  readonly next: number | undefined;
}

/** Which held updates are meant: all that have one of these ids or topics, or a topic that the URL Pattern matches. */
export interface PurgeCriteria {
  readonly ids?: string | readonly string[] | undefined;
  readonly topics?: string | readonly string[] | undefined;
  readonly pattern?: string | undefined;
}

/** What administrators do, for code of the same process: `/admin` of the service does it by this as well. */
@Injectable()
export class HeraldAdmin {
  private readonly logger = new Logger(HeraldAdmin.name);

  /** @internal Nest calls it. */
  constructor(
    private readonly streams: StreamRegistry,
    private readonly revocations: Revocations,
    private readonly history: HistoryService,
    private readonly issuers: TrustedIssuers,
  ) {}

  /** The open streams of this process, those of `@Sse()` handlers as well. */
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

  /** An open stream of this process, with what it is subscribed to; undefined where it is not open (any more). */
  connection(id: number): HubConnection | undefined {
    const [stream] = this.streams.after(id - 1);
    return stream?.serial === id ? detailOf(stream) : undefined;
  }

  /**
   * Ends streams of this process, and tells how many there were. A client that may still connect comes back: revoke its
   * token, or end its session, before.
   * @throws {HubError} `criteria-missing`
   */
  disconnect(criteria: ConnectionCriteria): number {
    if (!isAnyGiven(criteria)) {
      throw new HubError('criteria-missing', 'Say whose connections are meant: by subject, issuer, token or number.');
    }
    const disconnected = this.streams.endWhere((stream) => isMeant(stream, criteria), 'dismissed');
    this.logger.log({ msg: 'connections dismissed', disconnected });
    return disconnected;
  }

  /**
   * Revokes the tokens of which all that is given is true, at all processes of the hub: from now on they are refused, and
   * the streams that were opened with them end. Resolves with the number of those that this process has ended.
   * @throws {HubError} `criteria-missing`, `revocations-too-many`; {@link JournalUnavailableError} when it can't be stored.
   */
  async revoke(revocation: Revocation): Promise<number> {
    const { tokenId, issuer, subject, issuedBefore } = revocation;
    if (!isAnyGiven({ tokenId, issuer, subject, issuedBefore })) {
      throw new HubError(
        'criteria-missing',
        'Say which tokens are meant: by their id, issuer, subject or time of issue.',
      );
    }
    // Each issuer has subjects of its own, and another one's must not be shut out with them.
    if (subject !== undefined && issuer === undefined && this.issuers.all.length > 1) {
      throw new HubError('criteria-missing', 'Several issuers are trusted: say by the issuer whose subject is meant.');
    }
    const disconnected = await this.revocations.add(revocation);
    this.logger.log({ msg: 'tokens revoked', disconnected });
    return disconnected;
  }

  /**
   * Takes held updates out of the history for good, at all processes, and resolves with their number.
   * @throws {HubError} `criteria-missing`, `criteria-invalid` for the wildcard, or for a pattern that is none;
   * {@link JournalUnavailableError} when the journal can't be reached: some may have been taken out then.
   */
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
