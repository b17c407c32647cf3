import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { BatchClient } from '../support/batch-client.js';
import { Edge, NOBODY } from '../support/edge.js';
import { EDGE_KINDS } from '../support/edge-kinds.js';
import { send, textOf } from '../support/event-stream.js';
import { startHerald } from '../support/herald.js';
import { ADMIN_KEY, adminToken, HUB, HUB_ENVIRONMENT } from '../support/hub.js';
import { describeWith } from '../support/programs.js';
import { read, Stage } from './stage.js';

const METADATA = '/.well-known/oauth-protected-resource';

for (const kind of EDGE_KINDS) {
  describeWith(kind.program, `publishing through ${kind.name}`, (program) => {
    it('brings single updates and large batches to the hub, each once', async () => {
      await using stage = await Stage.set(kind, program);
      const { publisher, hub } = stage;
      await using reader = await read('HTTP/1.1', hub, 'match=urn:a');
      const headers = { 'idempotency-key': randomUUID() };
      const id = await publisher.publish({ topic: 'urn:a', data: 'one' }, headers);
      expect(await publisher.publish({ topic: 'urn:a', data: 'one' }, headers)).toBe(id);
      const lines = Array.from({ length: 800 }, (_, index) => ({ topic: 'urn:a', data: `${index}`.padEnd(8_000) }));
      await publisher.publishAll(lines);
      const data = (await reader.take(1 + lines.length)).map((one) => one.trim());
      expect(data).toEqual(['one', ...lines.map((_, index) => String(index))]);
    });

    it.each(['tls', 'http2'] as const)(
      'in a batch without an end, over %s, has each line answered while the body goes on',
      async (transport) => {
        await using stage = await Stage.set(kind, program);
        await using reader = await read('HTTP/2', stage.edge, 'match=urn:a');
        await using batch = await BatchClient.begin(transport, stage.edge);
        for (let line = 0; line < 3; line += 1) {
          batch.write({ topic: 'urn:a', data: String(line) });
          expect(await batch.answerTo(line)).toEqual({ id: expect.any(String) });
          expect(await reader.take(line + 1)).toContain(String(line));
        }
        batch.finish();
        expect((await batch.ended()).isComplete).toBe(true);
      },
    );

    it('tells the hub by which URL it was asked, and whom, whatever the client makes up', async () => {
      const { HERALD_RESOURCE: _none, ...env } = HUB_ENVIRONMENT;
      await using hub = await startHerald({ env: { ...env, HERALD_TRUST_PROXY: '1', HERALD_ADMIN_KEY: ADMIN_KEY } });
      await using edge = await Edge.start(kind, { program, hubs: [NOBODY, `127.0.0.1:${hub.port}`] });
      const made = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'http' };
      const answer = await send(`${edge.url}${METADATA}${HUB}`, { headers: made });
      expect(JSON.parse(await textOf(answer))).toMatchObject({ resource: edge.url + HUB });
      await using _stream = await read('HTTP/1.1', edge, 'match=urn:a', { headers: made });
      const claims = { iat: 9_000, aud: hub.url + HUB };
      const headers = { authorization: `Bearer ${await adminToken({ claims })}` };
      const listed = JSON.parse(await textOf(await send(`${hub.url}/admin/connections`, { headers }))) as object;
      expect(listed).toMatchObject({ connections: [{ address: '127.0.0.1' }] });
    });

    it('leaves to operators what is for operators, however the path is written', async () => {
      await using stage = await Stage.set(kind, program);
      const headers = { authorization: `Bearer ${await adminToken({ claims: { iat: 9_000 } })}` };
      const paths = ['/metrics', '/admin/processes', '/%61dmin/processes', '/docs', '/developer/tokens'];
      const answers = paths.map(async (path) => {
        const response = await send(stage.edge.url + path, { headers });
        // The hub's own would be a problem document.
        return [path, response.statusCode, (await textOf(response)).includes('"code"')];
      });
      expect(await Promise.all(answers)).toEqual(paths.map((path) => [path, 404, false]));
      const direct = await send(`${stage.hub.url}/admin/processes`, { headers });
      expect([direct.statusCode, (await textOf(direct)) !== '']).toEqual([200, true]);
    });

    it('in the clear leads to the same URL over TLS', async () => {
      await using stage = await Stage.set(kind, program);
      const response = await send(`${stage.edge.plainUrl}${HUB}?match=urn:a`);
      response.resume();
      expect(response.statusCode).toBe(308);
      expect(response.headers.location).toMatch(
        /^https:\/\/127\.0\.0\.1(?::\d+)?\/\.well-known\/mercure\?match=urn:a$/,
      );
    });
  });
}
