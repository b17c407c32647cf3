import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Ran, runCli } from '../support/cli.js';
import { FaultProxy } from '../support/fault-proxy.js';
import type { Herald } from '../support/herald.js';
import { heldUpdates, HUB, publisherToken, startHub } from '../support/hub.js';
import type { Target } from '../support/stream-client.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const BAD_USAGE = 64;

/** Runs `herald publish --ndjson` with lines as its input. */
async function publish(
  { url }: Target,
  lines: readonly (object | string)[],
  args: readonly string[] = [],
  token?: string,
): Promise<Ran> {
  const input = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  const env = { HERALD_TOKEN: token ?? (await publisherToken()) };
  return runCli(['publish', '--ndjson', '--url', url + HUB, ...args], env, input);
}

/** The lines of the output. */
function answersOf({ output }: Ran): object[] {
  const lines = output.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as object);
}

function refusal(line: number, code: string): object {
  return { line, error: { code, detail: expect.any(String) } };
}

describe('herald publish', () => {
  let herald: Herald;

  beforeAll(async () => {
    herald = await startHub();
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  it('publishes each line, prints the ids in order, and says how many were stored', async () => {
    const lines = Array.from({ length: 900 }, (_, number) => ({
      topic: 'urn:cli',
      data: number,
      id: `urn:cli:${number}`,
    }));
    const ran = await publish(herald, lines);
    expect(answersOf(ran)).toEqual(lines.map(({ id }, index) => ({ line: index + 1, id })));
    expect([ran.status, ran.errors]).toEqual([0, '900 of 900 updates were stored.\n']);
    expect((await heldUpdates(herald, 'urn:cli')).map(({ id }) => id)).toEqual(lines.map(({ id }) => id));
  });

  it('tells of a refused line its number, publishes the others, and ends with status 1', async () => {
    const lines = [{ topic: 'urn:t', id: 'urn:1' }, '', '{', '[]', { topic: '*' }, { topic: 'urn:t', id: 'urn:6' }];
    const ran = await publish(herald, lines);
    expect(answersOf(ran)).toEqual([
      { line: 1, id: 'urn:1' },
      refusal(3, 'batch-line-invalid'),
      refusal(4, 'batch-line-invalid'),
      refusal(5, 'topic-reserved'),
      { line: 6, id: 'urn:6' },
    ]);
    expect([ran.status, ran.errors]).toEqual([1, '2 of 5 updates were stored.\n']);
    expect(answersOf(await publish(herald, lines, ['--quiet']))).toEqual([
      refusal(3, 'batch-line-invalid'),
      refusal(4, 'batch-line-invalid'),
      refusal(5, 'topic-reserved'),
    ]);
  });

  it('stores a line with a key once, however often it is run', async () => {
    const lines = [
      { topic: 'urn:keyed', key: 'one' },
      { topic: 'urn:keyed', key: 'two' },
    ];
    const [first, second] = [await publish(herald, lines), await publish(herald, lines)];
    expect([first.status, second.output]).toEqual([0, first.output]);
    expect(await heldUpdates(herald, 'urn:keyed')).toHaveLength(2);
  });

  it('publishes a line as soon as it comes, while the input goes on', async () => {
    const env = { PATH: process.env['PATH'] ?? '', HERALD_TOKEN: await publisherToken() };
    const args = ['dist/server/cli.js', 'publish', '--ndjson', '--url', herald.url + HUB];
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['pipe', 'pipe', 'ignore'] });
    for (const number of [1, 2, 3]) {
      child.stdin.write(`${JSON.stringify({ topic: 'urn:t', id: `urn:live:${number}` })}\n`);
      const [answer] = (await once(child.stdout, 'data')) as [Buffer];
      expect(JSON.parse(answer.toString())).toEqual({ line: number, id: `urn:live:${number}` });
    }
    const ended = once(child, 'close');
    child.stdin.end();
    expect(await ended).toEqual([0, null]);
  });

  it('ends at once where no line will be taken, also while the input goes on', async () => {
    const env = { PATH: process.env['PATH'] ?? '', HERALD_TOKEN: '' };
    const args = ['dist/server/cli.js', 'publish', '--ndjson', '--url', herald.url + HUB];
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin.on('error', () => undefined);
    const ended = once(child, 'close');
    child.stdin.write('{"topic":"urn:t"}\n');
    const [answer] = (await once(child.stdout, 'data')) as [Buffer];
    expect(JSON.parse(answer.toString())).toMatchObject({ line: 1, error: { code: 'unauthorized' } });
    expect(await ended).toEqual([1, null]);
  });

  it('waits for a hub that is away, and sends again what a broken connection has left open', async () => {
    await using proxy = await FaultProxy.before(herald.port);
    proxy.goAway();
    const lines = Array.from({ length: 500 }, (_, number) => ({ topic: 'urn:away', data: String(number) }));
    const running = publish(proxy, lines);
    while (proxy.accepted === 0) await setImmediate();
    proxy.comeBack();
    while ((await heldUpdates(herald, 'urn:away')).length === 0) await setImmediate();
    proxy.cut();
    const ran = await running;
    expect([ran.status, ran.errors]).toEqual([0, '500 of 500 updates were stored.\n']);
    const held = await heldUpdates(herald, 'urn:away');
    expect(held.map(({ data }) => data)).toEqual(lines.map(({ data }) => data));
    expect(answersOf(ran)).toEqual(held.map(({ id }, index) => ({ line: index + 1, id })));
  });

  it.each<[string, string[], RegExp]>([
    ['without --ndjson', ['publish'], /--ndjson/],
    ['with a URL that is none', ['publish', '--ndjson', '--url', 'hub'], /--url must be the URL of a hub/],
    ['with an option that there is not', ['publish', '--ndjson', '--fast'], /Usage: herald publish/],
  ])('is refused with status 64 %s', async (_, args, message) => {
    const { status, output, errors } = await runCli(args);
    expect([status, output]).toEqual([BAD_USAGE, '']);
    expect(errors).toMatch(message);
  });
});
