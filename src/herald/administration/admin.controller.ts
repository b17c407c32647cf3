import {
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  UseFilters,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { z } from 'zod';
import type { Revocation } from '../../access/token-revocations.js';
import { bodyOf, checkType } from '../../hub/http/bodies/body.js';
import { LateBody } from '../../hub/http/bodies/late-body.js';
import { HubError } from '../../access/hub.errors.js';
import { type FrameworkRequest, hubRequestOf } from '../../shared/exchange/exchange.js';
import type { HubRequest } from '../../shared/exchange/hub-request.js';
import { HUB_PARTS, HubAdminGuard, type HubParts } from '../module/hub-parts.js';
import { HubPartsFilter } from '../module/hub-parts.filter.js';
import { parse } from './parse.js';
import { Processes } from './processes.js';

const LARGEST_PAGE = 1_000;

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
@Controller({ path: 'admin', version: VERSION_NEUTRAL })
@UseFilters(HubPartsFilter)
@UseGuards(HubAdminGuard)
export class AdminController {
  constructor(
    @Inject(HUB_PARTS) private readonly parts: HubParts,
    private readonly processes: Processes,
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
    const { token: tokenId, ...request } = parse(pageSchema, query, 'limit, after, subject, issuer and token');
    return this.parts.hub.connections({ ...request, tokenId });
  }

  /** An open stream of this process, with what it is subscribed to. */
  @Get('connections/:id')
  one(@Param('id') given: string): object {
    const id = number.safeParse(given).data;
    const connection = id === undefined ? undefined : this.parts.hub.connection(id);
    if (connection) return connection;
    throw new HubError('not-found', 'There is no such connection (any more) at this process.');
  }

  /** Ends connections of this process. A client with a valid token may connect again: revoke its token first. */
  @Delete('connections')
  dismiss(@Query() query: unknown): object {
    const {
      token: tokenId,
      id: connection,
      ...criteria
    } = parse(dismissSchema, query, 'subject, issuer, token and id');
    return { disconnected: this.parts.hub.disconnect({ ...criteria, tokenId, connection }) };
  }

  /** Revokes tokens: from now on they are refused, and the streams that were opened with them end. */
  @Post('revocations')
  @LateBody()
  @HttpCode(200)
  async revoke(@Req() request: FrameworkRequest): Promise<object> {
    const given = parse(
      revocationSchema,
      jsonOf(hubRequestOf(request)),
      'jti, exp, issuer, subject and issued_before (times in seconds)',
    );
    const revocation: Revocation = {
      ...(given.jti !== undefined && { tokenId: given.jti }),
      ...(given.issuer !== undefined && { issuer: given.issuer }),
      ...(given.subject !== undefined && { subject: given.subject }),
      ...(given.jti !== undefined && given.exp !== undefined && { expiresAt: given.exp * 1_000 }),
      ...(given.issued_before !== undefined && { issuedBefore: given.issued_before * 1_000 }),
    };
    return { disconnected: await this.parts.hub.revoke(revocation) };
  }
}

const JSON_TYPE = 'application/json';

/** What the body says; undefined where it is no JSON. */
function jsonOf({ body, headers }: HubRequest): unknown {
  const type = headers['content-type'];
  // A form would come without a preflight from a page of any origin.
  checkType(type, JSON_TYPE);
  // A parser of the application's own may have been before the hub.
  const isRead = typeof body === 'object' && body !== null && !Buffer.isBuffer(body);
  return isRead ? body : parseJson(bodyOf(body, type, JSON_TYPE));
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
