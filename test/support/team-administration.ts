import { expect } from '@jest/globals';
import type { ModuleMetadata } from '@nestjs/common';
import { HeraldAdministrationModule } from '../../src/herald/administration/index.js';
import { type HeraldExtras, HeraldModule, type HeraldOptions, parseKey } from '../../src/herald/index.js';
import type { EventStream } from './event-stream.js';
import { ADMIN_KEY, adminToken, HUB, ISSUER, noticesOf, RESOURCE, SUBSCRIBER_KEY, subscriberToken } from './hub.js';
import type { TeamApp } from './team-app.js';

/* An application of a team's own that has administration beside its hub, and who asks it for something. */

export const KEYS = { subscriber: parseKey(SUBSCRIBER_KEY), admin: parseKey(ADMIN_KEY) };

export const OPTIONS: HeraldOptions = { hubUrl: RESOURCE, auth: { issuers: [{ issuer: ISSUER, keys: KEYS }] } };

interface Question {
  /** Another token than an administrator's, or none where it is empty. */
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly type?: string;
}

interface Answer {
  readonly status: number | undefined;
  readonly type: unknown;
  readonly process: unknown;
  readonly body: Record<string, unknown>;
}

/** Asks with an administrator's token, or with what else is given. */
export async function ask(
  team: TeamApp,
  method: 'DELETE' | 'GET' | 'POST',
  path: string,
  { token, headers = {}, body, type = 'application/json' }: Question = {},
): Promise<Answer> {
  const bearer = token ?? (await adminToken());
  const answer = await team.ask(path, {
    method,
    headers: {
      ...(bearer && { authorization: `Bearer ${bearer}` }),
      ...(body !== undefined && { 'content-type': type }),
      ...headers,
    },
    ...(body !== undefined && { body }),
  });
  return {
    status: answer.status,
    type: answer.headers['content-type'],
    process: answer.headers['herald-process'],
    body: JSON.parse(answer.text) as Record<string, unknown>,
  };
}

/** Somebody who reads. */
export async function come(
  team: TeamApp,
  subject: string,
  { hub = HUB, aud = RESOURCE, jti = subject } = {},
): Promise<EventStream> {
  const token = await subscriberToken({ subject, claims: { jti, aud } });
  const stream = await team.open(`${hub}?match=urn:a`, { authorization: `Bearer ${token}` });
  return stream.until(({ retries }) => retries.length > 0);
}

export async function expectEnd(stream: EventStream, reason: string): Promise<void> {
  expect(await stream.ended).toBe(true);
  expect(noticesOf(stream).at(-1)).toMatchObject({ type: reason });
}

export function subjectsIn({ body }: Answer): unknown {
  return (body['connections'] as { subject: string }[]).map(({ subject }) => subject);
}

/** A hub that no module is global of, with administration around it. */
export function beside(
  options: HeraldOptions & HeraldExtras = OPTIONS,
  own: Parameters<typeof HeraldAdministrationModule.forRoot>[0] = {},
): NonNullable<ModuleMetadata['imports']> {
  const hub = HeraldModule.forRoot(options);
  return [
    hub,
    HeraldAdministrationModule.forRoot({ name: options.name, ...own, imports: [hub, ...(own.imports ?? [])] }),
  ];
}
