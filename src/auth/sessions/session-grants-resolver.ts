import { Inject, Injectable } from '@nestjs/common';
import type { HubRequest } from '../../shared/exchange/hub-request.js';
import type { Grants } from '../../access/grants.js';
import { GrantsResolver } from '../../access/grants-resolver.js';
import { HubError } from '../../access/hub.errors.js';
import { Origins } from '../../shared/http/origins.js';
import type { Role } from '../../shared/role.js';
import { believedNow } from '../../shared/time/steady-clock.js';
import { requestIdOf } from '../../shared/trace/request-id.js';
import { traceParentOf } from '../../shared/trace/traceparent.js';
import { whenReady } from '../../shared/when-ready.js';
import { Revocations } from '../revocations/revocations.js';
import { AUTH_OPTIONS, type AuthOptions } from '../settings/auth.options.js';
import { resourceOf } from '../settings/resource.js';
import { checkOrigin, SAFE_METHODS } from '../settings/same-origin.js';
import { TokenGrantsResolver } from '../tokens/token-grants-resolver.js';
import { TokenVerifier } from '../tokens/token-verifier.js';
import { Application, type Question } from './application.js';
import { type Outcome, Sessions } from './sessions.js';

/** A token of any kind (RFC 6750, 2.1). */
const BEARER = /^bearer +([\w.~+/-]+=*) *$/i;

/**
 * What an access token allows or, for requests without one, what the application says (`authorizeUrl`). A Bearer token
 * that no issuer of the hub's has made is put to the application as well.
 */
@Injectable()
export class SessionGrantsResolver extends GrantsResolver {
  private readonly sessions: Sessions;
  private readonly allowed: Origins;

  /** @internal Nest calls it. */
  constructor(
    private readonly tokens: TokenGrantsResolver,
    private readonly verifier: TokenVerifier,
    private readonly revocations: Revocations,
    @Inject(AUTH_OPTIONS) private readonly options: AuthOptions,
  ) {
    super();
    const { authorizeUrl, hubUrl, publishOrigins } = options;
    this.allowed = new Origins(publishOrigins);
    if (authorizeUrl === undefined) throw new Error('SessionGrantsResolver needs the option authorizeUrl');
    this.sessions = new Sessions(new Application(new URL(authorizeUrl)), hubUrl);
  }

  resolve(request: HubRequest, role: Role): Grants | undefined | Promise<Grants | undefined> {
    if (role === 'admin') return this.tokens.resolve(request, role);
    const hasForeignToken = this.hasForeignToken(request.headers.authorization);
    const grants = hasForeignToken ? undefined : this.tokens.resolve(request, role);
    return whenReady(grants, (found) => found ?? this.askFor(request, role, hasForeignToken));
  }

  private hasForeignToken(authorization: string | undefined): boolean {
    const token = BEARER.exec(authorization ?? '')?.[1];
    return token !== undefined && !this.verifier.concerns(token);
  }

  private askFor(
    request: HubRequest,
    role: Exclude<Role, 'admin'>,
    hasToken: boolean,
  ): Grants | undefined | Promise<Grants | undefined> {
    const question = questionOf(request, role);
    if (!hasToken) this.checkOrigin(request, question);
    const isGood = (grants: Grants): boolean => !this.isOver(grants);
    return whenReady(this.sessions.outcomeOf(question, isGood), (outcome) => this.grantsOf(outcome, hasToken));
  }

  private grantsOf({ grants, refusal }: Outcome, hasToken: boolean): Grants | undefined {
    if (refusal) throw refusal;
    if (grants && this.isOver(grants)) throw new HubError('token-revoked', 'The session has been revoked.');
    if (!grants && hasToken) throw new HubError('token-invalid', 'The application does not know this token.');
    return grants;
  }

  private isOver(grants: Grants): boolean {
    return (grants.expiresAt ?? Infinity) <= believedNow() || this.revocations.revokes(grants);
  }

  /** A browser adds a cookie, or a password that it knows, to requests of any page; a token it never adds by itself. */
  private checkOrigin(request: HubRequest, { cookie, authorization }: Question): void {
    const hasCredentials = cookie !== undefined || authorization !== undefined;
    if (!hasCredentials || SAFE_METHODS.has(request.method)) return;
    const { origin } = new URL(resourceOf(request, this.options));
    checkOrigin(request, origin, this.allowed);
  }
}

function questionOf({ headers, id, ip }: HubRequest, role: Exclude<Role, 'admin'>): Question {
  const { cookie, authorization, origin } = headers;
  const names = {
    requestId: requestIdOf({ 'x-request-id': id }),
    traceparent: traceParentOf(headers['traceparent'])?.text,
  };
  return {
    cookie,
    authorization,
    origin,
    address: ip,
    action: role === 'publisher' ? 'publish' : 'subscribe',
    ...names,
  };
}
