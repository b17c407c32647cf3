import { describe, expect, it } from '@jest/globals';
import { openStream, send, textOf } from '../support/event-stream.js';
import { startHerald } from '../support/herald.js';

describe('the HTTP edge', () => {
  it('answers HEAD /events with the headers and no body', async () => {
    await using herald = await startHerald();
    const response = await send(`${herald.url}/events`, { method: 'HEAD' });
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(await textOf(response)).toBe('');
  });

  it('answers a wrong method with 405 and what is allowed', async () => {
    await using herald = await startHerald();
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const response = await send(`${herald.url}/events?x=1`, { method });
      expect(response.statusCode).toBe(405);
      expect(response.headers['allow']).toBe('GET, HEAD');
      expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      response.resume();
    }
  });

  it.each([
    ['POST', '/.well-known/mercure/subscriptions/exact/b', 'GET, HEAD'],
    ['DELETE', '/.well-known/mercure/subscriptions/exact/https%3A%2F%2Fa/b', 'GET, HEAD'],
    ['PUT', '/.well-known/mercure/subscriptions', 'GET, HEAD'],
    ['GET', '/.well-known/mercure/batch', 'POST'],
    ['PUT', '/admin/connections/1', 'GET, HEAD'],
    ['POST', '/health/live', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD'],
  ])('answers %s of %s with 405 and what is allowed', async (method, path, allow) => {
    await using herald = await startHerald({ env: { HERALD_SUBSCRIPTIONS: 'true' } });
    const response = await send(herald.url + path, { method });
    const body = JSON.parse(await textOf(response)) as Record<string, unknown>;
    expect([response.statusCode, response.headers['allow'], body['code']]).toEqual([405, allow, 'method-not-allowed']);
  });

  it('answers a wrong path with a problem that repeats nothing of it', async () => {
    await using herald = await startHerald();
    for (const path of ['/nope', '/events/x', '/assets/%2e%2e/main.js', '/index.htm', '/%', '/<script>']) {
      const response = await send(`${herald.url}/`, { path });
      expect([400, 404]).toContain(response.statusCode);
      expect(response.headers['x-content-type-options']).toBe('nosniff');
      const body = JSON.parse(await textOf(response)) as Record<string, unknown>;
      const code = response.statusCode === 404 ? 'not-found' : 'request-malformed';
      const text = { title: expect.any(String), detail: expect.any(String) };
      expect(body).toEqual({ status: response.statusCode, code, ...text });
      expect(JSON.stringify(body)).not.toMatch(/nope|script|assets/);
    }
  });

  it('serves the page at / with a strict policy, fresh each time, and its assets for good', async () => {
    await using herald = await startHerald();
    const page = await send(`${herald.url}/`);
    const html = await textOf(page);
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.headers['cache-control']).toBe('no-cache');
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(page.headers['x-frame-options']).toBe('DENY');
    const script = /src="\.?(\/assets\/[^"]+\.js)"/.exec(html)?.[1];
    const asset = await send(`${herald.url}${script}`);
    expect(asset.statusCode).toBe(200);
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    asset.resume();
  });

  it('says that it is alive and ready', async () => {
    await using herald = await startHerald();
    for (const path of ['/health/live', '/health/ready']) {
      const response = await send(herald.url + path);
      expect(response.statusCode).toBe(200);
      expect(JSON.parse(await textOf(response))).toMatchObject({ status: 'ok' });
    }
  });

  it('writes one line for a request, without its query or headers', async () => {
    await using herald = await startHerald();
    const response = await send(`${herald.url}/nope?token=hush`, { headers: { authorization: 'Bearer hushhush' } });
    response.resume();
    await herald.waitForLog(/"msg":"request"/);
    const lines = herald.logLines().filter((line) => line['msg'] === 'request');
    expect(lines).toEqual([
      expect.objectContaining({ method: 'GET', path: '/nope', status: 404, requestId: expect.any(String) }),
    ]);
    expect(herald.logs()).not.toContain('hush');
  });

  it('refuses a body above the limit with 413', async () => {
    await using herald = await startHerald({ env: { HERALD_MAX_BODY: '2kb' } });
    const headers = { 'content-type': 'application/json' };
    const response = await send(`${herald.url}/events`, { method: 'POST', headers }, JSON.stringify('x'.repeat(4_000)));
    expect([405, 413]).toContain(response.statusCode);
    response.resume();
  });
});

describe('CORS', () => {
  const env = { HERALD_CORS_ORIGINS: 'https://app.example, http://localhost:3000' };

  it('lets the listed origins read /events, with credentials', async () => {
    await using herald = await startHerald({ env });
    for (const origin of ['https://app.example', 'http://localhost:3000']) {
      await using stream = await openStream(`${herald.url}/events`, { headers: { origin } });
      expect(stream.response.headers['access-control-allow-origin']).toBe(origin);
      expect(stream.response.headers['access-control-allow-credentials']).toBe('true');
      expect(stream.response.headers['timing-allow-origin']).toBe(origin);
      expect(stream.response.headers['vary']).toMatch(/origin/i);
    }
  });

  it('answers the preflight that a fetch client sends before it resumes', async () => {
    await using herald = await startHerald({ env });
    const headers = {
      origin: 'https://app.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'last-event-id',
    };
    const response = await send(`${herald.url}/events`, { method: 'OPTIONS', headers });
    expect(response.statusCode).toBe(204);
    expect(response.headers['access-control-allow-methods']).toBe('GET');
    expect(String(response.headers['access-control-allow-headers']).toLowerCase()).toContain('last-event-id');
  });

  it('lets pages send what libraries for tracing add, and what the setting lists, beside the hub’s own', async () => {
    const tracing = ['baggage', 'sentry-trace', 'traceparent', 'tracestate', 'x-datadog-trace-id', 'x-requested-with'];
    await using herald = await startHerald({ env });
    expect(await allowedHeaders(herald.url)).toEqual(expect.arrayContaining([...tracing, 'authorization']));
    await using other = await startHerald({ env: { ...env, HERALD_CORS_HEADERS: 'X-Mine' } });
    const allowed = await allowedHeaders(other.url);
    expect(allowed).toEqual(expect.arrayContaining(['x-mine', 'authorization', 'last-event-id', 'idempotency-key']));
    expect(allowed).not.toContain('baggage');
  });

  const many =
    'capacitor://localhost,app://.,moz-extension://0b9d2b62-9c7f-4d0a-b8cb-1d9e4b4d8e1c,https://*.example.org';

  it.each([
    'capacitor://localhost',
    'app://.',
    'moz-extension://0b9d2b62-9c7f-4d0a-b8cb-1d9e4b4d8e1c',
    'https://a.b.example.org',
  ])('lets %s read, as an application or a name below a domain', async (origin) => {
    await using herald = await startHerald({ env: { HERALD_CORS_ORIGINS: many } });
    await using stream = await openStream(`${herald.url}/events`, { headers: { origin } });
    expect(stream.response.headers['access-control-allow-origin']).toBe(origin);
  });

  it.each([
    'https://evil.example',
    'https://app.example.evil.example',
    'https://app.example:444',
    'null',
    'https://example.org',
    'https://evil-example.org',
    'https://x.example.org.evil.example',
    'capacitor://other',
  ])('gives %s nothing', async (origin) => {
    await using herald = await startHerald({ env: { HERALD_CORS_ORIGINS: `${env.HERALD_CORS_ORIGINS},${many}` } });
    await using stream = await openStream(`${herald.url}/events`, { headers: { origin } });
    expect(stream.response.headers['access-control-allow-origin']).toBeUndefined();
    expect(stream.response.headers['timing-allow-origin']).toBeUndefined();
  });

  it('shares no other path, and by default nothing', async () => {
    await using herald = await startHerald({ env });
    const health = await send(`${herald.url}/health/live`, { headers: { origin: 'https://app.example' } });
    expect(health.headers['access-control-allow-origin']).toBeUndefined();
    health.resume();
    await using closed = await startHerald();
    await using stream = await openStream(`${closed.url}/events`, { headers: { origin: 'https://app.example' } });
    expect(stream.response.headers['access-control-allow-origin']).toBeUndefined();
  });
});

/** The headers that a page of a listed origin may send to the hub, in lower case. */
async function allowedHeaders(url: string): Promise<string[]> {
  const asked = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,traceparent',
  };
  const headers = { origin: 'https://app.example', ...asked };
  const response = await send(`${url}/.well-known/mercure`, { method: 'OPTIONS', headers });
  response.resume();
  return String(response.headers['access-control-allow-headers']).toLowerCase().split(/, ?/);
}
