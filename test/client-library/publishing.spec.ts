import { describe, expect, it } from '@jest/globals';
import type { TokenRequest } from '../../client/lib/index.js';
import { Reader } from './reader.js';
import { type Answer, ScriptedHub, status } from './scripted-hub.js';

const accepted: Answer = (response) => response.end('urn:id');

describe('publishing with a token that is refused', () => {
  it.each([
    ['asks once for a fresh one', [status(401), accepted], 'urn:id'],
    ['gives up when the fresh one is refused too', [status(401)], 'unauthorized'],
  ])('%s', async (_title, answers, outcome) => {
    await using hub = await ScriptedHub.start(...answers);
    const reasons: TokenRequest['reason'][] = [];
    const token = ({ reason }: TokenRequest): string => `token-${reasons.push(reason)}`;
    using reader = Reader.of(hub.url, { token });
    const got = await reader.client.publish('urn:t', 1).catch(({ code }: { readonly code: string }) => code);

    expect(got).toBe(outcome);
    expect(reasons).toEqual(['publish', 'unauthorized']);
    expect(hub.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(new Set(hub.requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });
});
