import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HUB_ERRORS } from '../../src/access/hub.errors.js';
import { send, textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import {
  HUB,
  noticesOf,
  PUBLISHER_KEY,
  Publisher,
  RESOURCE,
  startHub,
  subscribe,
  SUBSCRIBER_KEY,
  subscriberToken,
  TLS_ENVIRONMENT,
  updatesOf,
} from '../support/hub.js';
import { type Answer, type Exchange, exchange } from './exchange.js';
import { exchangeFrames, exchangeHttp2 } from './http2-exchange.js';
import { type Attack, attacks } from './requests.js';

/**
 * Random and mutated requests never crash the service, make it hang, or store what was refused. Everything that is sent
 * is decided by the seed: `HERALD_FUZZ_SEED` repeats a run, `HERALD_FUZZ_RUNS` prolongs it (requests for each setting).
 */
const SEED = Number(process.env['HERALD_FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env['HERALD_FUZZ_RUNS'] ?? 1_200);

/** Milliseconds for each setting, unless the number of runs was asked for. */
const BUDGET = process.env['HERALD_FUZZ_RUNS'] ? Infinity : 6_000;

/** All that may be answered. 5xx are not among them. */
const STATUSES: ReadonlySet<number> = new Set([
  200, 400, 401, 403, 404, 405, 406, 413, 415, 422,
  // An expectation that nobody knows, a head that is too large, and another version of HTTP.
  417, 431, 505,
]);

/** How many requests that store nothing are under way beside the one that may. */
const READERS = 4;

/** What a run has seen. */
class Findings {
  readonly accepted: string[] = [];
  readonly statuses: Record<number, number> = {};
  /** Updates that may have been stored although nobody was told: their connections were cut. */
  unanswered = 0;
  private readonly ids = new Set<string>();

  take({ isPublication, isKeyed, isForged }: Attack, { sent, answers }: Sent): void {
    for (const answer of answers) {
      const { status, headers, body } = answer;
      this.statuses[status] = (this.statuses[status] ?? 0) + 1;
      expectExpected(answer);
      if (isForged && status < 400) throw new Error('a forged token was taken');
      if (status === 200 && isPublication)
        for (const id of idsOf(headers['content-type'] ?? '', body)) this.accept(id, isKeyed);
    }
    if (isPublication && answers.length === 0) this.unanswered += sent.toString('latin1').split('\n').length;
  }

  private accept(id: string, isKeyed: boolean): void {
    if (isKeyed && this.ids.has(id)) return;
    this.ids.add(id);
    this.accepted.push(id);
  }
}

function expectExpected(answer: Answer): void {
  const { status, headers } = answer;
  expect([status, STATUSES.has(status)]).toEqual([status, true]);
  expect(headers).not.toHaveProperty('x-injected');
  if (status >= 400) expectProblem(answer);
}

function expectProblem({ status, headers, body }: Answer): void {
  expect([status, headers['content-type']]).toEqual([status, 'application/problem+json; charset=utf-8']);
  // The answer to HEAD has none.
  if (body === '') return;
  const problem = JSON.parse(body) as { status: number; code: keyof typeof HUB_ERRORS };
  expect(problem.status).toBe(status);
  expect(HUB_ERRORS[problem.code]).toEqual(expect.objectContaining({ status }));
}

function idsOf(type: string, body: string): string[] {
  if (type.startsWith('text/plain')) return [body];
  if (!type.startsWith('application/x-ndjson')) return [];
  const lines = body
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');
  const answers = lines.map((line) => JSON.parse(line) as { id?: string; error?: { code: string } });
  for (const { id, error } of answers) expect(id ?? HUB_ERRORS[error?.code as never]).toBeDefined();
  return answers.flatMap(({ id }) => (id === undefined ? [] : [id]));
}

/** What was sent, and what came of it. */
interface Sent extends Exchange {
  readonly sent: Buffer;
}

/** Sends a request as HTTP/1.1, or in its own shape to a hub that understands them all. */
async function sendTo({ url }: Herald, { bytes, frames, draft, shape, method }: Attack): Promise<Sent> {
  const speaksAll = url.startsWith('https:');
  if (speaksAll && shape === 'frames') return { sent: frames, ...(await exchangeFrames(url, frames)) };
  const answered = speaksAll && shape === 'library' ? await exchangeHttp2(url, draft) : undefined;
  return { sent: bytes, ...(answered ?? (await exchange(url, bytes, method))) };
}

/** A request for people, and as bytes where it can't be guessed. */
function show({ bytes, frames, shape }: Attack): string {
  const request = bytes.toString('latin1').slice(0, 1_000);
  return shape === 'frames' ? `${request}\nas frames, in Base64: ${frames.toString('base64')}` : request;
}

/** Publications go one after the other, so that their order is known; other requests go beside them. */
async function run(herald: Herald, given: readonly Attack[]): Promise<Findings> {
  const findings = new Findings();
  const until = performance.now() + BUDGET;
  const lane = async (queue: Iterator<Attack>): Promise<void> => {
    for (let next = queue.next(); !next.done && performance.now() < until; next = queue.next()) {
      const attack = next.value;
      try {
        const sent = await sendTo(herald, attack);
        if (!sent.isOver) throw new Error('the service does not let go of the connection');
        findings.take(attack, sent);
      } catch (cause) {
        throw new Error(`seed ${SEED}, this request:\n${show(attack)}`, { cause });
      }
    }
  };
  const others = given.filter(({ isPublication }) => !isPublication).values();
  const publications = given.filter(({ isPublication }) => isPublication).values();
  await Promise.all([lane(publications), ...Array.from({ length: READERS }, () => lane(others))]);
  return findings;
}

/** The ids of everything that is held, from the first on. */
async function heldIds(herald: Herald, audience: string): Promise<(string | undefined)[]> {
  using publisher = await Publisher.of(herald, { claims: { aud: audience } });
  const last = await publisher.publish({ topic: 'urn:last', data: 'last' });
  const token = await subscriberToken({ claims: { aud: audience } });
  await using stream = await subscribe(herald, {
    query: 'match=*&last_event_id=earliest',
    headers: { authorization: `Bearer ${token}` },
  });
  await stream.until(({ events }) => events.some(({ id }) => id === last));
  expect(noticesOf(stream).filter(({ type }) => type === 'gap')).toEqual([]);
  // What the hub itself says of its subscribers is not what is looked for.
  return updatesOf(stream)
    .filter(({ data }) => !data.includes('"subscriber":"urn:uuid:'))
    .map(({ id }) => id)
    .filter((id) => id !== last);
}

// An HTTP/2 connection that Node itself keeps after an error is closed after the write time-out.
const ENCRYPTED = { ...TLS_ENVIRONMENT, HERALD_WRITE_TIMEOUT: '500ms' };
const USUAL = { HERALD_ANONYMOUS: 'false' };
const EVERYTHING = {
  HERALD_RESOURCE: '',
  HERALD_LEGACY: 'true',
  HERALD_SUBSCRIPTIONS: 'true',
  HERALD_TRUST_PROXY: 'true',
};

describe(`fuzzing with HERALD_FUZZ_SEED=${SEED}`, () => {
  it.each<[string, Readonly<Record<string, string>>]>([
    ['as it should be run', USUAL],
    ['as it should be run, over TLS and HTTP/2', { ...USUAL, ...ENCRYPTED }],
    ['with everything switched on, and no name of its own', EVERYTHING],
    ['with everything switched on, over TLS and HTTP/2', { ...EVERYTHING, ...ENCRYPTED }],
  ])(
    'the hub %s neither crashes, nor hangs, nor stores what it has refused',
    async (_, env) => {
      await using herald = await startHub({ LOG_LEVEL: 'trace', HERALD_MAX_BODY: '64kb', ...env });
      const audience = env['HERALD_RESOURCE'] === '' ? herald.url + HUB : RESOURCE;
      const given = fc.sample(attacks(audience, Math.floor(Date.now() / 1_000)), { seed: SEED, numRuns: RUNS });
      const findings = await run(herald, given);
      console.log(`seed ${SEED}: ${JSON.stringify(findings.statuses)}, ${findings.accepted.length} updates stored`);

      const ready = await send(`${herald.url}/health/ready`);
      expect([ready.statusCode, await textOf(ready)]).toEqual([200, expect.any(String)]);
      // Something got through, or the rest would mean nothing: mostly some dozens, and a few by a rare seed.
      expect(findings.accepted.length).toBeGreaterThan(0);
      const held = await heldIds(herald, audience);
      const accepted = new Set(findings.accepted);
      expect(held.filter((id) => accepted.has(id ?? ''))).toEqual(findings.accepted);
      expect(held.length - findings.accepted.length).toBeLessThanOrEqual(findings.unanswered);

      const log = herald.logs();
      const signatures = given.flatMap(
        ({ bytes }) => /Bearer [\w-]+\.[\w-]+\.([\w-]{40,})/.exec(bytes.toString('latin1'))?.[1] ?? [],
      );
      expect(signatures.length).toBeGreaterThan(20);
      expect([...new Set(signatures)].filter((signature) => log.includes(signature))).toEqual([]);
      for (const secret of [PUBLISHER_KEY, SUBSCRIBER_KEY]) expect(log).not.toContain(secret);
      expect(log).not.toMatch(/request failed|"level":(?:50|60)/);
    },
    BUDGET === Infinity ? 3_600_000 : 90_000,
  );
});
