import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { BASE, below, METADATA, WAYS } from '../support/below-path.js';
import { openStream, send, textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { form, HUB, publisherToken, startHub, subscriberToken } from '../support/hub.js';
import { Nginx } from '../support/nginx.js';
import { describeWith, nginx } from '../support/programs.js';

for (const [way, end] of WAYS) {
  describeWith(nginx, `below a path that the proxy ${way}`, (program) => {
    let herald: Herald;
    let proxy: Nginx;
    /** Where clients find the service, and what they name as the hub. */
    let url: string;
    let resource: string;

    beforeAll(async () => {
      herald = await startHub({ HERALD_BASE_PATH: BASE, HERALD_RESOURCE: '', HERALD_SUBSCRIPTIONS: 'true' });
      proxy = await Nginx.start({ program, server: below(herald, end) });
      url = proxy.url + BASE;
      resource = url + HUB;
    });
    afterAll(async () => {
      await proxy[Symbol.asyncDispose]();
      await herald[Symbol.asyncDispose]();
    });

    async function ask(target: string, headers: Record<string, string> = {}) {
      const response = await send(target, { headers });
      return { status: response.statusCode, headers: response.headers, text: await textOf(response) };
    }

    async function publish(fields: Record<string, string>): Promise<number | undefined> {
      const token = await publisherToken({ claims: { aud: resource } });
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' };
      const response = await send(resource, { method: 'POST', headers }, form(fields));
      response.resume();
      return response.statusCode;
    }

    it('streams, publications, the page, the library and the health check are there', async () => {
      await using clock = await openStream(`${url}/events`);
      await using stream = await openStream(`${resource}?match=urn:a`);
      expect(await publish({ topic: 'urn:a', data: 'x' })).toBe(200);
      expect((await stream.take(1))[0]?.data).toBe('x');
      expect((await clock.take(1))[0]?.data).toContain('timestamp');
      for (const path of ['/', '/health/live', '/herald/client.js', `${HUB}/history?match=urn:a`]) {
        expect([path, (await ask(url + path)).status]).toEqual([path, 200]);
      }
      expect((await ask(`${url}/`)).text).toMatch(/src="\.\/assets\//);
      expect((await ask(`${url}/nope`)).status).toBe(404);
    });

    it('what is asked for without the path, such as a health check, is there as well', async () => {
      expect((await ask(`${herald.url}/health/live`)).status).toBe(200);
      expect((await ask(`${herald.url}${HUB}?match`)).status).toBe(400);
      const page = await ask(herald.url + BASE);
      expect([page.status, page.headers['location']]).toEqual([308, `${BASE}/`]);
    });

    it('a token must name the hub as it is found there', async () => {
      const other = await publisherToken({ claims: { aud: proxy.url + HUB } });
      const headers = { authorization: `Bearer ${other}`, 'content-type': 'application/json' };
      const refused = await send(resource, { method: 'POST', headers }, '{"topic":"urn:a"}');
      refused.resume();
      expect(refused.statusCode).toBe(401);
      expect(await publish({ topic: 'urn:a' })).toBe(200);
    });

    it('the challenge leads to metadata that name the hub, and so does the place that RFC 9728 gives it', async () => {
      const { headers } = await ask(`${resource}/subscriptions`);
      const told = /resource_metadata="([^"]+)"/.exec(headers['www-authenticate'] ?? '')?.[1];
      expect(told).toBe(url + METADATA + HUB);
      for (const place of [String(told), proxy.url + METADATA + BASE + HUB]) {
        const { status, text } = await ask(place);
        expect([status, (JSON.parse(text) as { resource: string }).resource]).toEqual([200, resource]);
      }
    });

    it('subscriptions, their topics and all links have the path in them', async () => {
      const authorization = `Bearer ${await subscriberToken({ claims: { aud: resource } })}`;
      const everything = encodeURIComponent(`${BASE}${HUB}/subscriptions/*`);
      await using observer = await openStream(`${resource}?match_urlpattern=${everything}`, {
        headers: { authorization },
      });
      await using stream = await openStream(`${resource}?match=urn:link`);
      await observer.until(({ events }) => events.some(({ data }) => data.includes('"urn:link"')));
      const event = observer.events.find(({ data }) => data.includes('"urn:link"'));
      const { id } = JSON.parse(event?.data ?? '') as { id: string };
      expect(id.startsWith(`${BASE}${HUB}/subscriptions/exact/urn%3Alink/`)).toBe(true);
      const one = await ask(proxy.url + id, { authorization });
      expect(one.status).toBe(200);
      expect(one.headers['link']).toContain(`<${BASE}${HUB}>; rel="mercure"`);
      const list = await ask(`${resource}/subscriptions`, { authorization });
      expect(list.text).toContain(`"${id}"`);
      expect(JSON.parse(list.text)).toMatchObject({ id: `${BASE}${HUB}/subscriptions` });
      for (const data of ['1', '2']) await publish({ topic: 'urn:history', data });
      const history = await ask(`${resource}/history?match=urn:history&limit=1`);
      expect(history.headers['link']).toContain(`<${BASE}${HUB}/history?`);
      const next = /<([^>]+)>/.exec(String(history.headers['link']))?.[1];
      expect((await ask(proxy.url + String(next))).status).toBe(200);
      stream.response.destroy();
    });

    it('nobody publishes to the hub’s own namespace there', async () => {
      expect(await publish({ topic: `${BASE}${HUB}/subscriptions` })).toBe(400);
      expect(await publish({ topic: 'subscriptions' })).toBe(200);
    });
  });
}
