import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { send, textOf } from '../support/event-stream.js';
import { type Herald, startHerald } from '../support/herald.js';
import { form, HUB, HUB_ENVIRONMENT, PUBLISHER_KEY, SUBSCRIBER_KEY } from '../support/hub.js';

const PATH = '/developer/tokens';

interface Asked {
  readonly host?: string;
  readonly origin?: string | undefined;
}

async function ask(herald: Herald, { host = `localhost:${herald.port}`, origin }: Asked) {
  const headers = { host, ...(origin !== undefined && { origin }) };
  const response = await send(`${herald.url}${PATH}`, { method: 'POST', headers });
  return { status: response.statusCode, body: JSON.parse(await textOf(response)) as Record<string, string> };
}

describe('tokens for development', () => {
  let herald: Herald;
  beforeAll(async () => {
    herald = await startHerald();
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  it('are given to the page of the service itself, and publish and subscribe', async () => {
    const host = `localhost:${herald.port}`;
    const { status, body } = await ask(herald, { host, origin: `http://${host}` });
    expect(status).toBe(200);
    const publish = await send(
      `${herald.url}${HUB}`,
      {
        method: 'POST',
        headers: {
          host,
          authorization: `Bearer ${body['publish']}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
      },
      form({ topic: 'urn:t', data: 'x', private: 'on' }),
    );
    expect(publish.statusCode).toBe(200);
    const subscribe = await send(`${herald.url}${HUB}?match=urn:t`, {
      method: 'HEAD',
      headers: { host, authorization: `Bearer ${body['subscribe']}` },
    });
    expect(subscribe.statusCode).toBe(200);
  });

  it.each([
    ['of another origin', { origin: 'https://evil.example' }],
    ['that says nothing of where it is from', {}],
    ['whose own name was made to lead here', { host: 'evil.example', origin: 'http://evil.example' }],
  ])('are not given to a page %s', async (_who, asked) => {
    const { status, body } = await ask(herald, asked);
    expect([status, body['code']]).toEqual([400, 'origin-refused']);
    expect(Object.keys(body)).not.toContain('publish');
  });

  it('are not given to other machines, whatever they say of themselves', async () => {
    const address = Object.values(networkInterfaces())
      .flatMap((all = []) => all)
      .find(({ internal, family }) => !internal && family === 'IPv4');
    // A machine without a network has no address that is another machine's.
    if (!address) return;
    await using open = await startHerald({ env: { HOST: '0.0.0.0' } });
    const host = `localhost:${open.port}`;
    const headers = { host, origin: `http://${host}`, 'x-forwarded-for': '127.0.0.1' };
    const from = async (name: string) => {
      const response = await send(`http://${name}:${open.port}${PATH}`, { method: 'POST', headers });
      return { status: response.statusCode, body: JSON.parse(await textOf(response)) as object };
    };
    expect(await from('127.0.0.1')).toMatchObject({ status: 200 });
    const { status, body } = await from(address.address);
    expect({ status, body }).toMatchObject({ status: 400, body: { code: 'origin-refused' } });
    expect(Object.keys(body)).not.toContain('publish');
  });

  it.each([
    ['in production', { ...HUB_ENVIRONMENT, NODE_ENV: 'production' }],
    ['where somebody has set the keys', { HERALD_PUBLISHER_KEY: PUBLISHER_KEY, HERALD_SUBSCRIBER_KEY: SUBSCRIBER_KEY }],
  ])('do not exist %s', async (_where, env) => {
    await using other = await startHerald({ env });
    const host = `localhost:${other.port}`;
    await expect(ask(other, { host, origin: `http://${host}` })).resolves.toMatchObject({ status: 404 });
  });
});
