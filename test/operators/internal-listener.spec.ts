import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { adminToken, ADMIN_KEY, HUB, publisherToken, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { type Herald, startHerald } from '../support/herald.js';
import { send, textOf } from '../support/event-stream.js';
import { internalUrlOf, INTERNAL } from '../support/metrics.js';
import { requestTo } from '../support/request.js';

async function statusOf(url: string, headers: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
  const response = await send(url, { headers });
  await textOf(response);
  return response.statusCode;
}

const bearer = async (): Promise<Record<string, string>> => ({ authorization: `Bearer ${await adminToken()}` });

describe('the internal listener', () => {
  it('answers health and metrics to anybody, administration to administrators, and nothing else', async () => {
    await using herald = await startHub({ ...INTERNAL, HERALD_ADMIN_KEY: ADMIN_KEY });
    const url = await internalUrlOf(herald);
    expect(await statusOf(`${url}/health/live`)).toBe(200);
    expect(await statusOf(`${url}/health/ready`)).toBe(200);
    expect(await statusOf(`${url}/healthz`)).toBe(200);
    expect(await statusOf(`${url}/metrics`)).toBe(200);
    expect(await statusOf(`${url}/admin/processes`)).toBe(401);
    expect(await statusOf(`${url}/admin/processes`, await bearer())).toBe(200);
    for (const path of ['/', HUB, `${HUB}?match=*`, '/events', '/herald/client.js', '/metrics/', '//metrics']) {
      expect([path, await statusOf(url + path, await bearer())]).toEqual([path, 404]);
    }
  });

  it('speaks plain HTTP beside a public one that speaks TLS', async () => {
    await using herald = await startHub({ ...INTERNAL, ...TLS_ENVIRONMENT });
    const url = await internalUrlOf(herald);
    expect(url).toMatch(/^http:/);
    expect(await statusOf(`${url}/health/ready`)).toBe(200);
    expect(await statusOf(`${url}/metrics`)).toBe(200);
  });

  it('leaves health public, shows metrics to administrators there, and administration too unless told otherwise', async () => {
    await using herald = await startHub({ ...INTERNAL, HERALD_ADMIN_KEY: ADMIN_KEY });
    expect(await statusOf(`${herald.url}/health/live`)).toBe(200);
    expect(await statusOf(`${herald.url}/metrics`)).toBe(401);
    expect(await statusOf(`${herald.url}/metrics`, await bearer())).toBe(200);
    expect(await statusOf(`${herald.url}/admin/processes`, await bearer())).toBe(200);
  });

  it('hides metrics where there are no administrators', async () => {
    await using herald = await startHub();
    expect(await statusOf(`${herald.url}/metrics`)).toBe(404);
  });

  it('has administration for itself with HERALD_ADMIN_INTERNAL', async () => {
    await using herald = await startHub({ ...INTERNAL, HERALD_ADMIN_KEY: ADMIN_KEY, HERALD_ADMIN_INTERNAL: 'true' });
    for (const path of ['/admin/processes', '/%61dmin/processes', '/admin/connections/1', '/admin/topics']) {
      expect([path, await statusOf(herald.url + path, await bearer())]).toEqual([path, 404]);
    }
    expect(await statusOf(`${await internalUrlOf(herald)}/admin/processes`, await bearer())).toBe(200);
    expect(await statusOf(`${herald.url}/metrics`, await bearer())).toBe(200);
  });

  it('answers until the process has let go of everything else', async () => {
    await using herald = await startHub(INTERNAL);
    const url = await internalUrlOf(herald);
    // A request under way holds the end back.
    const request = requestTo(herald.url + HUB, {
      method: 'POST',
      agent: false,
      headers: {
        authorization: `Bearer ${await publisherToken()}`,
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': '11',
        expect: '100-continue',
      },
    });
    request.flushHeaders();
    await once(request, 'continue');
    const ended = herald.kill('SIGTERM');
    await herald.waitForLog(/stopping/);
    expect(await statusOf(`${url}/health/live`)).toBe(200);
    expect(await statusOf(`${url}/health/ready`)).toBe(503);
    expect(await statusOf(`${url}/metrics`)).toBe(200);
    request.end('topic=urn:a');
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    expect((await ended).code).toBe(0);
  });

  it('ends the start with 78 where its address can not be had, and where administration would answer nowhere', async () => {
    await using first = await startHub(INTERNAL);
    const { port } = new URL(await internalUrlOf(first));
    await expectMistake({ HERALD_INTERNAL_LISTEN: `127.0.0.1:${port}` }, /HERALD_INTERNAL_LISTEN .*EADDRINUSE/);
    await expectMistake({ HERALD_INTERNAL_LISTEN: '9090' }, /HERALD_INTERNAL_LISTEN must be a host and a port/);
    await expectMistake({ HERALD_ADMIN_INTERNAL: 'true' }, /HERALD_ADMIN_INTERNAL needs HERALD_INTERNAL_LISTEN/);
  });
});

async function expectMistake(env: Readonly<Record<string, string>>, message: RegExp): Promise<void> {
  const started = startHerald({ env }).then((herald: Herald) => herald.kill());
  await expect(started).rejects.toThrow(message);
  await expect(started).rejects.toThrow(/ended with 78/);
}
