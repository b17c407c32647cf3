import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { HUB_ERRORS } from '../../src/access/hub.errors.js';
import { EventStream, send, textOf } from '../support/event-stream.js';
import { type Herald, startHerald } from '../support/herald.js';
import {
  ADMIN_KEY,
  adminToken,
  form,
  type Fields,
  HUB,
  HUB_ENVIRONMENT,
  Publisher,
  publisherToken,
  startHub,
  subscribe,
  subscriberToken,
} from '../support/hub.js';
import { type ApiDocument, type ExampleExchange, exchangesOf, operationsOf, Schemas } from '../support/openapi.js';

const PROBE = fileURLToPath(new URL('../support/route-probe.js', import.meta.url));

const TOPIC = 'https://example.com/books/1';

async function documentOf({ url }: Pick<Herald, 'url'>): Promise<ApiDocument> {
  const response = await send(`${url}/openapi.json`);
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
  return JSON.parse(await textOf(response)) as ApiDocument;
}

/** A token with which a request is let in and, where it is to be refused for what it asks for, no further. */
async function tokenFor({ action, answers: [answer] }: ExampleExchange): Promise<string | undefined> {
  const { code } = (answer?.value ?? {}) as { code?: string };
  if (action === undefined || code === 'unauthorized') return undefined;
  const isRefused = code === 'insufficient-scope';
  if (action === 'publish') return publisherToken(isRefused ? { topics: [{ match: TOPIC }] } : {});
  if (action === 'subscribe') return subscriberToken();
  return isRefused ? subscriberToken({ key: ADMIN_KEY }) : adminToken();
}

/** Sends what the example of a request says. */
async function sendTo({ url }: Herald, exchange: ExampleExchange): Promise<EventStream['response']> {
  const { path, method, parameters, body } = exchange;
  const token = await tokenFor(exchange);
  const inPath = parameters.filter((one) => one.in === 'path');
  const target = inPath.reduce(
    (made, { name, value }) => made.replace(`{${name}}`, encodeURIComponent(String(value))),
    path,
  );
  const query = form(fieldsOf(parameters.filter((one) => one.in === 'query').map(({ name, value }) => [name, value])));
  const inHead = parameters.filter((one) => one.in === 'header').map(({ name, value }) => [name, String(value)]);
  const headers = {
    ...Object.fromEntries(inHead),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': body.type }),
  };
  return send(`${url}${target}?${query}`, { method, headers }, body && bytesOf(body));
}

function bytesOf({ type, value }: { readonly type: string; readonly value: unknown }): string {
  if (type === 'application/x-www-form-urlencoded') return form(fieldsOf(Object.entries(value as object)));
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function fieldsOf(pairs: readonly (readonly [string, unknown])[]): Fields {
  return Object.fromEntries(
    pairs.map(([name, value]) => [name, Array.isArray(value) ? (value as string[]) : String(value)]),
  );
}

/** The body of an answer, as far as it is needed to compare it. */
async function bodyOf(response: EventStream['response'], type: string): Promise<unknown> {
  if (type === 'text/event-stream') {
    await using stream = new EventStream(response);
    await stream.until(({ events, cursors }) => events.length + cursors.length > 0);
    return stream.events.map((event) => JSON.parse(JSON.stringify(event)) as object);
  }
  const text = await textOf(response);
  return /[/+]json$/.test(type) ? (JSON.parse(text) as unknown) : text;
}

const isRefusal = ({ answers }: ExampleExchange): boolean => answers[0]?.type === 'application/problem+json';

/** Runs the example, and says what is wrong with the answer. */
async function check(herald: Herald, schemas: Schemas, exchange: ExampleExchange): Promise<void> {
  const [answer, ...others] = exchange.answers;
  if (!answer || others.length > 0) throw new Error('an example must have one answer');
  const response = await sendTo(herald, exchange);
  const { 'content-type': type, 'www-authenticate': challenge } = response.headers;
  const body = await bodyOf(response, answer.type);
  expect([response.statusCode, type?.split(';', 1)[0], body]).toEqual([
    answer.status,
    answer.type,
    isRefusal(exchange) ? answer.value : body,
  ]);
  expect(challenge !== undefined).toBe(
    [401, 403].includes(answer.status) || (body as { code?: string })?.code === 'origin-refused',
  );
  expect(schemas.mistakes(answer.place, body)).toEqual([]);
}

describe('the OpenAPI document', () => {
  let herald: Herald;
  let document: ApiDocument;

  beforeAll(async () => {
    // Without keys, as in development, there is every route.
    herald = await startHerald({
      env: { HERALD_SUBSCRIPTIONS: 'true' },
      nodeArguments: ['--import', PROBE],
    });
    document = await documentOf(herald);
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  it('is valid', async () => {
    expect(document.openapi).toBe('3.2.0');
    expect(await new Validator().validate(structuredClone(document) as unknown as Record<string, unknown>)).toEqual({
      valid: true,
    });
  });

  it('describes all routes of the service, and no other', async () => {
    const described = operationsOf(document).map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    expect(described.toSorted()).toEqual((await routesOf(herald)).toSorted());
  });

  it('says of each route what it is for, how it answers, and shows an example', () => {
    const shown = new Set(exchangesOf(document).map(({ path, method }) => `${method} ${path}`));
    const poor = operationsOf(document).filter(
      ({ path, method, operation }) => !operation.summary || !shown.has(`${method.toUpperCase()} ${path}`),
    );
    expect(poor).toEqual([]);
  });

  it('has a name of its own for each operation', () => {
    const names = operationsOf(document).map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z]\w+$/i.test(name))).toEqual([]);
  });

  it('names each code with which the service refuses something', () => {
    const text = JSON.stringify(document);
    expect(Object.keys(HUB_ERRORS).filter((code) => !text.includes(`"${code}"`))).toEqual([]);
  });

  it('shows examples that fit its own schemas', () => {
    const schemas = new Schemas(document);
    const wrong = exchangesOf(document).flatMap((exchange) => {
      const { path, name, parameters, body, answers } = exchange;
      // What is refused may break the schema of the request.
      const asked = isRefusal(exchange) ? [] : [...parameters, ...(body ? [body] : [])];
      return [...asked, ...answers].flatMap(({ place, value }) => {
        const mistakes = schemas.mistakes(place, value) as unknown[];
        return mistakes.length > 0 ? [{ path, name, mistakes }] : [];
      });
    });
    expect(wrong).toEqual([]);
  });

  it('is right about tokens for development', async () => {
    const exchanges = exchangesOf(document).filter(({ path }) => path.startsWith('/developer/'));
    expect(exchanges.length).toBeGreaterThan(0);
    const schemas = new Schemas(document);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const exchange of exchanges) await check(herald, schemas, exchange);
  });
});

describe('each example of the document', () => {
  it('is answered by the service as the document says', async () => {
    await using herald = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY, HERALD_SUBSCRIPTIONS: 'true' });
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: TOPIC, data: '{"title":"Dune"}', id: 'urn:book:0', type: 'changed' });
    const token = await subscriberToken({ subject: 'alice' });
    // The first stream of the process, which administrators' examples are about.
    await using _reader = await subscribe(herald, {
      query: `match=${TOPIC}`,
      headers: { authorization: `Bearer ${token}` },
    });
    const document = await documentOf(herald);
    const schemas = new Schemas(document);
    const exchanges = exchangesOf(document);
    expect(exchanges.length).toBeGreaterThan(40);
    const failures: string[] = [];
    for (const exchange of exchanges) {
      const { method, path, name } = exchange;
      // oxlint-disable-next-line no-await-in-loop -- some build on what those before them have published
      await check(herald, schemas, exchange).catch((error: Error) =>
        failures.push(`${method} ${path}, ${name}: ${error.message}`),
      );
    }
    expect(failures).toEqual([]);
  });
});

describe('where the document is', () => {
  it('is below a base path as well, which it names as its server', async () => {
    await using herald = await startHub({
      HERALD_BASE_PATH: '/realtime',
      HERALD_RESOURCE: `https://hub.example/realtime${HUB}`,
    });
    const { servers, paths } = await documentOf({ url: `${herald.url}/realtime` });
    expect(servers).toEqual([{ url: '/realtime' }]);
    expect(Object.keys(paths)).toContain(HUB);
    expect((await send(`${herald.url}/realtime${HUB}`)).statusCode).toBe(400);
  });

  it('is readable for pages of listed origins', async () => {
    await using herald = await startHub({ HERALD_CORS_ORIGINS: 'https://app.example' });
    const headersFor = async (origin: string): Promise<EventStream['response']['headers']> =>
      (await send(`${herald.url}/openapi.json`, { headers: { origin } })).headers;
    expect((await headersFor('https://app.example'))['access-control-allow-origin']).toBe('https://app.example');
    expect((await headersFor('https://other.example'))['access-control-allow-origin']).toBeUndefined();
  });

  it('is there in production too, where the page is not, and has no secret', async () => {
    await using herald = await startHub({ NODE_ENV: 'production', HERALD_ADMIN_KEY: ADMIN_KEY });
    const text = JSON.stringify(await documentOf(herald));
    for (const secret of [ADMIN_KEY, ...Object.values(HUB_ENVIRONMENT).filter((value) => value.includes('key'))]) {
      expect(text).not.toContain(secret);
    }
    expect(text).not.toContain('/developer/tokens');
    for (const path of ['/docs', '/docs/swagger-ui.css']) {
      // oxlint-disable-next-line no-await-in-loop -- two requests
      expect((await send(herald.url + path)).statusCode).toBe(404);
    }
  });
});

const CLIENT = fileURLToPath(new URL('../../dist/client', import.meta.url));

/** Whether a route is one of files for people: of the page, of the client library, and of the page at `/docs`. */
function isOfFiles(url: string): boolean {
  return /^\/(?:\*|docs(?:\/|$)|(?:assets|herald)\/:file$)/.test(url) || existsSync(join(CLIENT, url));
}

/** The routes of the router, as the document would have them. */
async function routesOf({ child }: Herald): Promise<string[]> {
  const answered = once(child, 'message');
  child.send('routes');
  const [routes] = (await answered) as [readonly { readonly method: string; readonly url: string }[]];
  const described = routes
    // There is a `HEAD` for each `GET`.
    .filter(({ method, url }) => method !== 'HEAD' && !isOfFiles(url))
    .map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
  return [...new Set(described)];
}
