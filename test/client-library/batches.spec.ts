import { describe, expect, it } from '@jest/globals';
import { type BatchUpdate, createHeraldClient, type HeraldClient, type TokenRequest } from '../../client/lib/index.js';
import { textOf } from '../support/event-stream.js';
import { heldUpdates, HUB, publisherToken, startHub } from '../support/hub.js';
import { type Answer, ScriptedHub, status } from './scripted-hub.js';

const NDJSON = { 'content-type': 'application/x-ndjson' };

function clientOf({ url }: { readonly url: string }, topics = [{ match: '*' }]): HeraldClient {
  return createHeraldClient({ url: url + HUB, token: () => publisherToken({ topics }) });
}

function numbers(count: number): BatchUpdate[] {
  return Array.from({ length: count }, (_, index) => ({ topic: 'urn:t', data: index }));
}

/** A hub's batch route that answers in this way, and notes the lines that it gets. */
function answering(got: object[][], ...answers: readonly string[]): Answer {
  return (response, request) => {
    if (!request) return;
    void textOf(request).then((body) => {
      const lines = body.split('\n').map((line) => JSON.parse(line) as object);
      const text = answers[got.push(lines) - 1] ?? lines.map((_, index) => `{"id":"urn:${index}"}`).join('\n');
      return text === '' ? request.socket.destroy() : response.writeHead(200, NDJSON).end(`${text}\n`);
    });
  };
}

describe('a batch', () => {
  it('stores many updates in order, and answers with the id of each', async () => {
    await using herald = await startHub();
    const client = clientOf(herald);
    const told: number[] = [];
    const answers = await client.publishBatch(numbers(900), { onAnswer: (_answer, index) => told.push(index) });
    const held = await heldUpdates(herald, 'urn:t');

    expect(held.map(({ data }) => data)).toEqual(numbers(900).map(({ data }) => String(data)));
    expect(answers.map(({ id }) => id)).toEqual(held.map(({ id }) => id));
    expect(told).toEqual(numbers(900).map(({ data }) => data));
  });

  it('says of each update that is refused why, and stores the others', async () => {
    await using herald = await startHub();
    const client = clientOf(herald, [{ match: 'urn:t' }]);
    const answers = await client.publishBatch([
      { topic: 'urn:t', data: '<p>', as: 'text', id: 'urn:one', type: 'html', retry: 5, private: false },
      { topic: 'urn:other', data: 1 },
      { topic: 'urn:t', data: undefined },
      { topic: ['urn:t'], data: { n: 2 } },
    ]);

    expect(answers[0]).toEqual({ id: 'urn:one' });
    expect(answers[1]?.error).toMatchObject({ code: 'refused', problem: { code: 'insufficient-scope' } });
    expect(answers[2]?.error).toMatchObject({ code: 'misused' });
    expect((await heldUpdates(herald, 'urn:t')).map(({ data }) => data)).toEqual(['<p>', '{"n":2}']);
  });

  it('sends what a source has by now, and does not wait for its end', async () => {
    await using herald = await startHub();
    const client = clientOf(herald);
    let goOn: () => void = () => undefined;
    const isStored = new Promise<void>((resolve) => (goOn = resolve));
    async function* source(): AsyncGenerator<BatchUpdate> {
      yield* numbers(2);
      await isStored;
      yield { topic: 'urn:t', data: 'last' };
    }
    const answers = await client.publishBatch(source(), { onAnswer: (_answer, index) => index === 1 && goOn() });

    expect(answers).toHaveLength(3);
    expect((await heldUpdates(herald, 'urn:t')).map(({ data }) => data)).toEqual(['0', '1', '"last"']);
  });

  it('sends again under the same keys what was not answered, and nothing else', async () => {
    const got: { key: string; data: string }[][] = [];
    const refusal = '{"error":{"code":"overloaded","detail":"later"}}';
    const answers = ['', '{"id":"urn:a"}\n{"end":"drain"}', `${refusal}\n{"id":"urn:c"}`];
    await using hub = await ScriptedHub.start(answering(got, ...answers));
    const outcome = await clientOf(hub).publishBatch(numbers(3));
    const keys = got[0]?.map(({ key }) => key);

    expect(outcome).toEqual([{ id: 'urn:a' }, { id: 'urn:0' }, { id: 'urn:c' }]);
    expect(new Set(keys).size).toBe(3);
    expect(got.map((lines) => lines.map(({ key }) => keys?.indexOf(key)))).toEqual([[0, 1, 2], [0, 1, 2], [1, 2], [1]]);
  });

  it('asks for another token when the hub ends it because of the token', async () => {
    const got: object[][] = [];
    await using hub = await ScriptedHub.start(answering(got, '{"end":"expired"}'));
    const reasons: TokenRequest['reason'][] = [];
    const token = ({ reason }: TokenRequest): string => `token-${reasons.push(reason)}`;
    await createHeraldClient({ url: hub.url, token }).publishBatch(numbers(1));

    expect(reasons).toEqual(['publish', 'expired']);
  });

  it.each([
    ['busy', [answering([], '{"end":"overloaded"}', '{"end":"overloaded"}', '{"end":"overloaded"}', '{"end":"idle"}')]],
    ['unauthorized', [answering([], '{"end":"revoked"}')]],
    ['refused', [status(403)]],
    ['not-supported', [status(404)]],
  ])('fails as %s where the hub takes nothing of it', async (code, answers) => {
    await using hub = await ScriptedHub.start(...answers);

    await expect(clientOf(hub).publishBatch(numbers(2))).rejects.toMatchObject({ code });
  });

  it('ends with its signal while its source says nothing', async () => {
    await using herald = await startHub();
    const client = clientOf(herald);
    const stop = new AbortController();
    async function* source(): AsyncGenerator<BatchUpdate> {
      yield* numbers(1);
      await new Promise(() => undefined);
    }
    const batch = client.publishBatch(source(), {
      signal: stop.signal,
      onAnswer: () => stop.abort(new Error('enough')),
    });

    await expect(batch).rejects.toThrow('enough');
    expect(await heldUpdates(herald, 'urn:t')).toHaveLength(1);
  });
});
