import { Controller, Delete, Get, HttpCode, Logger, Param, Post, Query, Req, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AdminGuard } from '../../auth/tokens/admin.guard.js';
import { TrustedIssuers } from '../../auth/tokens/trusted-issuers.js';
import { type Revocation, Revocations } from '../../auth/revocations/revocations.js';
import { bodyOf } from '../../hub/http/bodies/body.js';
import { LateBody } from '../../hub/http/bodies/late-body.js';
import { HubError } from '../../access/hub.errors.js';
import type { OpenStream } from '../../streams/registry/stream-registry.js';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { detailOf, rowOf } from './connection-row.js';
import { parse } from './parse.js';
import { Processes } from './processes.js';

const LARGEST_PAGE = 1_000;

/** Bytes of the connections of one answer. */
const PAGE_BYTES = 256 * 1024;

const text = z.string().min(1).max(1_000);

const number = z.coerce.number().int().min(1);

export const pageSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LARGEST_PAGE).default(100),
  after: z.coerce.number().int().min(0).default(0),
  subject: text.optional(),
  issuer: text.optional(),
  token: text.optional(),
});

export const dismissSchema = z.strictObject({
  subject: text.optional(),
  issuer: text.optional(),
  token: text.optional(),
  id: number.optional(),
});

export const revocationSchema = z.strictObject({
  jti: text.optional(),
  /** The token's own, in seconds since the epoch: the revocation is kept until then. */
  exp: z.number().int().min(0).optional(),
  issuer: text.optional(),
  subject: text.optional(),
  /** Seconds since the epoch, as in tokens. */
  issued_before: z.number().int().min(0).optional(),
});

/** Routes for administrators: they list processes and connections, end connections and revoke tokens. */
@Controller('admin')
@UseGuards(AdminGuard)
export class AdminController {
  private readonly logger = new Logger(AdminController.name);

  constructor(
    private readonly streams: StreamRegistry,
    private readonly revocations: Revocations,
    private readonly processes: Processes,
    private readonly issuers: TrustedIssuers,
  ) {}

  /** The processes of this hub that are alive. */
  @Get('processes')
  async all(): Promise<object> {
    return { processes: await this.processes.list() };
  }

  /**
   * The open streams of this process, oldest first: at most `limit`, and fewer where their tokens are long. `next` is
   * the value of `after` that asks for the next page.
   */
  @Get('connections')
  list(@Query() query: unknown): object {
    const { limit, after, ...criteria } = parse(pageSchema, query, 'limit, after, subject, issuer and token');
    const connections: object[] = [];
    let last = 0;
    let bytes = 0;
    for (const stream of this.streams.after(after)) {
      if (!isMeant(stream, criteria)) continue;
      if (connections.length === limit || bytes >= PAGE_BYTES) {
        return { connections, total: this.streams.size, next: last };
      }
      const row = rowOf(stream);
      bytes += JSON.stringify(row).length;
      connections.push(row);
      last = stream.serial;
    }
    return { connections, total: this.streams.size };
  }

  /** An open stream of this process, with what it is subscribed to. */
  @Get('connections/:id')
  one(@Param('id') given: string): object {
    const id = number.safeParse(given).data;
    const [stream] = id === undefined ? [] : this.streams.after(id - 1);
    if (!stream || stream.serial !== id) {
      throw new HubError('not-found', 'There is no such connection (any more) at this process.');
    }
    return detailOf(stream);
  }

  /** Ends connections of this process. A client with a valid token may connect again: revoke its token first. */
  @Delete('connections')
  dismiss(@Query() query: unknown): object {
    const criteria = parse(dismissSchema, query, 'subject, issuer, token and id');
    if (Object.keys(criteria).length === 0) {
      throw new HubError('criteria-missing', 'Say whose connections are meant: by "subject", "token" or "id".');
    }
    const disconnected = this.streams.endWhere((stream) => isMeant(stream, criteria), 'dismissed');
    this.logger.log({ msg: 'connections dismissed', disconnected });
    return { disconnected };
  }

  /** Revokes tokens: from now on they are refused, and the streams that were opened with them end. */
  @Post('revocations')
  @LateBody()
  @HttpCode(200)
  async revoke(@Req() { body, headers }: FastifyRequest): Promise<object> {
    // A form would come without a preflight from a page of any origin.
    const json = bodyOf(body, headers['content-type'], 'application/json');
    const given = parse(
      revocationSchema,
      parseJson(json),
      'jti, exp, issuer, subject and issued_before (times in seconds)',
    );
    this.checkCriteria(given);
    const revocation: Revocation = {
      ...(given.jti !== undefined && { tokenId: given.jti }),
      ...(given.issuer !== undefined && { issuer: given.issuer }),
      ...(given.subject !== undefined && { subject: given.subject }),
      ...(given.jti !== undefined && given.exp !== undefined && { expiresAt: given.exp * 1_000 }),
      ...(given.issued_before !== undefined && { issuedBefore: given.issued_before * 1_000 }),
    };
    const disconnected = await this.revocations.add(revocation);
    this.logger.log({ msg: 'tokens revoked', disconnected });
    return { disconnected };
  }

  /** Each issuer has subjects of its own, and another one's must not be shut out with them. */
  private checkCriteria({ jti, issuer, subject, issued_before }: z.output<typeof revocationSchema>): void {
    if ([jti, issuer, subject, issued_before].every((one) => one === undefined)) {
      throw new HubError(
        'criteria-missing',
        'Say which tokens are meant: by "jti", "issuer", "subject" or "issued_before".',
      );
    }
    if (subject === undefined || issuer !== undefined || this.issuers.all.length < 2) return;
    throw new HubError('criteria-missing', 'Several issuers are trusted: say by "issuer" whose "subject" is meant.');
  }
}

interface Criteria {
  readonly subject?: string | undefined;
  readonly issuer?: string | undefined;
  readonly token?: string | undefined;
  readonly id?: number | undefined;
}

function isMeant({ info, serial }: OpenStream, { subject, issuer, token, id }: Criteria): boolean {
  if (issuer !== undefined && info.caller.issuer !== issuer) return false;
  if (subject !== undefined && info.caller.subject !== subject) return false;
  if (token !== undefined && info.caller.tokenId !== token) return false;
  return id === undefined || serial === id;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
