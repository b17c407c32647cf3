import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { CompiledProgram } from '../support/compiled-program.js';
import { EventStream, send, textOf } from '../support/event-stream.js';
import { type Herald, startHerald } from '../support/herald.js';
import { form, HUB } from '../support/hub.js';
import { MODULE_HOME } from '../support/packages.js';
import { ADAPTERS } from '../support/team-app.js';

/*
 * What teams put on all of their routes must not break the hub's protocol, and the hub must not break it. The applications
 * are in `hosts/app.ts`, and run as processes, because Jest can't load all of these packages.
 */

const AT = 'https://team.example';

/** What is different about an application's own routes, by what it has on all of them. */
interface Own {
  readonly path?: string;
  readonly added?: object;
  readonly missing?: object;
  /** A header of each answer of the hub's. */
  readonly header?: string;
}

const HOSTS: Readonly<Record<string, Own>> = {
  'nothing else': {},
  'a wrapping interceptor': { added: { data: { added: 'Dune' } } },
  'a wrapping interceptor by useGlobalInterceptors': { added: { data: { added: 'Dune' } } },
  'a catch-all filter': { missing: { caught: 404 } },
  'a catch-all filter by useGlobalFilters': { missing: { caught: 404 } },
  'a validation pipe': {},
  'a throttler': { header: 'x-ratelimit-limit' },
  'a global guard': {},
  versions: { path: '/v1' },
  'versions in a header': {},
  'a global prefix': { path: '/api' },
  'a global prefix that leaves out a route': { path: '/api' },
  CLS: {},
  'an asynchronous context of its own': {},
  compression: {},
  helmet: { header: 'content-security-policy' },
};

interface Asked {
  readonly method?: string;
  readonly type?: string;
  readonly user?: string;
  readonly body?: string;
}

const program = new CompiledProgram('test/e2e/hosts/app.ts');

it('the applications are made with the module that is tested', async () => {
  const [node, ...args] = await program.command('Fastify', 'nothing else', 'nowhere:');
  // Paths are not in one piece in colours.
  const env = { ...process.env, FORCE_COLOR: undefined, NO_COLOR: '1' };
  const started = promisify(execFile)(node, args, { env }).then(() => ({ stderr: 'no error' }));
  const { stderr } = await started.catch((error: { stderr: string }) => error);
  expect(stderr).toContain('hubUrl must be');
  expect(stderr).toContain(MODULE_HOME);
});

describe.each(ADAPTERS)('beside a hub on %s', (adapter) => {
  it.each(Object.entries(HOSTS))('%s works, and the hub does', async (name, own) => {
    const { path = '', added = { added: 'Dune' }, missing = { statusCode: 404 }, header } = own;
    await using team = await startHerald({ command: await program.command(adapter, name) });
    const ask = asker(team);

    await using stream = new EventStream(
      await send(`${team.url}${HUB}?match=${AT}/a`, { headers: { 'x-user': 'ann' } }),
    );
    expect([stream.response.statusCode, stream.response.headers['content-type']]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    const fields = form({ topic: `${AT}/a`, data: 'news' });
    const published = await ask(HUB, { user: 'ann', type: 'application/x-www-form-urlencoded', body: fields });
    expect([published.status, published.type]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(await stream.take(1)).toMatchObject([{ id: published.text, data: 'news' }]);
    if (header !== undefined) expect(published.headers).toHaveProperty(header);

    const refusal = await ask(HUB, { type: 'application/json', body: '{}' });
    expect([refusal.status, refusal.type]).toEqual([401, 'application/problem+json; charset=utf-8']);
    expect(JSON.parse(refusal.text)).toMatchObject({ code: 'unauthorized', status: 401 });

    const line = `${JSON.stringify({ topics: [`${AT}/a`], data: 'one of many' })}\n`;
    const batch = await ask(`${HUB}/batch`, { user: 'ann', type: 'application/x-ndjson', body: line });
    expect(batch.text).toContain('"id"');
    const history = await ask(`${HUB}/history?match=${AT}/a`, { method: 'GET', user: 'ann' });
    expect(JSON.parse(history.text)).toMatchObject([{ data: 'one of many' }, { data: 'news' }]);
    const list = await ask(`${HUB}/subscriptions`, { method: 'GET', user: 'ann' });
    expect(JSON.parse(list.text)).toHaveProperty('subscriptions');
    const metadata = await ask(`/.well-known/oauth-protected-resource${HUB}`, { method: 'GET' });
    expect(JSON.parse(metadata.text)).toMatchObject({ resource: AT + HUB });

    const book = await ask(`${path}/books`, { type: 'application/json', body: '{"title":"Dune"}' });
    expect([book.status, JSON.parse(book.text)]).toEqual([201, added]);
    const none = await ask(`${path}/books/none`, { method: 'GET' });
    expect([none.status, JSON.parse(none.text)]).toMatchObject([404, missing]);
    if (name === 'a validation pipe') {
      expect(await ask('/books', { type: 'application/json', body: '{"title":1}' })).toMatchObject({ status: 400 });
    }
  });
});

function asker({ url }: Herald) {
  return async (path: string, { method = 'POST', type, user, body }: Asked) => {
    const headers = {
      'x-version': '1',
      ...(type !== undefined && { 'content-type': type }),
      ...(user !== undefined && { 'x-user': user }),
    };
    const response = await send(url + path, { method, headers }, body);
    const { statusCode: status, headers: given } = response;
    return { status, headers: given, type: given['content-type'], text: await textOf(response) };
  };
}
