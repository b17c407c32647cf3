import { describe, expect, it } from '@jest/globals';
import { ADMIN_KEY, form, HUB, publisherToken, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import type { Herald } from '../support/herald.js';
import { type Transport, TRANSPORTS } from '../support/transports.js';
import { Upload, type UploadHead } from '../support/upload.js';

const FORM = 'application/x-www-form-urlencoded';

/** Requests that need a token, which these lack. */
const UNKNOWN: readonly UploadHead[] = [
  { path: HUB, headers: { 'content-type': FORM } },
  { path: `${HUB}/batch`, headers: { 'content-type': 'application/x-ndjson' } },
  { path: HUB, method: 'QUERY', headers: { 'content-type': FORM } },
  { path: '/admin/revocations', headers: { 'content-type': 'application/json' } },
];

function start(transport: Transport, env: Readonly<Record<string, string>> = {}): Promise<Herald> {
  return startHub({ ...(transport !== 'http1' && TLS_ENVIRONMENT), ...env });
}

async function publication(headers: Readonly<Record<string, string>> = {}): Promise<UploadHead> {
  const authorization = `Bearer ${await publisherToken()}`;
  return { path: HUB, headers: { 'content-type': FORM, authorization, ...headers } };
}

function codeOf(body: string): unknown {
  return (JSON.parse(body) as { code: unknown }).code;
}

describe.each(TRANSPORTS)('a body over %s', (transport) => {
  it.concurrent('is not waited for where a token is missing, and its sender is not listened to for long', async () => {
    await using herald = await start(transport, { HERALD_ANONYMOUS: 'false', HERALD_ADMIN_KEY: ADMIN_KEY });
    const refusals = UNKNOWN.map(async (head) => {
      await using upload = Upload.begin(transport, herald, head);
      await upload.write('topic=');
      const { status, body } = await upload.answer;
      expect({ head, status, code: codeOf(body) }).toEqual({ head, status: 401, code: 'unauthorized' });
      await upload.closed;
    });
    await Promise.all(refusals);
  });

  it.concurrent('is thrown away where it comes with a `HEAD`, and keeps no stream open', async () => {
    await using herald = await start(transport);
    const bytes = 'topic=a&'.repeat(25_000);
    const headers = { 'content-length': String(bytes.length), 'content-type': FORM };
    await using upload = Upload.begin(transport, herald, { path: `${HUB}?match=urn:a`, method: 'HEAD', headers });
    void upload.write(bytes);
    upload.end();
    expect(await upload.answer).toMatchObject({ status: 200 });
    await upload.closed;
  });

  it.concurrent('has its time to come, and others are served meanwhile', async () => {
    await using herald = await start(transport, { HERALD_BODY_TIMEOUT: '300ms' });
    await using upload = Upload.begin(transport, herald, await publication());
    await upload.write('topic=urn:slow');
    await using quick = Upload.begin(transport, herald, await publication());
    await quick.write(form({ topic: 'urn:quick' }));
    quick.end();
    expect(await quick.answer).toMatchObject({ status: 200 });
    const { status, body } = await upload.answer;
    expect({ status, code: codeOf(body) }).toEqual({ status: 408, code: 'body-too-slow' });
    await upload.closed;
  });

  it.concurrent(
    'is refused while those of others hold all the room that there is, and taken once they are through',
    async () => {
      await using herald = await start(transport, { HERALD_MAX_BODIES: '1mb', HERALD_MAX_BODY: '900kb' });
      const bytes = `topic=urn:t&data=${'x'.repeat(700 * 1024)}`;
      const head = await publication();
      await using first = Upload.begin(transport, herald, head);
      await using second = Upload.begin(transport, herald, head);
      for (const upload of [first, second]) void upload.write(bytes);
      // Either may be the one that is too much.
      const refused = await Promise.race([first, second].map(async (upload) => upload.answer.then(() => upload)));
      const { status, body, headers } = await refused.answer;
      expect({ status, code: codeOf(body) }).toEqual({ status: 503, code: 'overloaded' });
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      const other = refused === first ? second : first;
      other.end();
      expect(await other.answer).toMatchObject({ status: 200 });
      await using third = Upload.begin(transport, herald, head);
      void third.write(bytes);
      third.end();
      expect(await third.answer).toMatchObject({ status: 200 });
    },
  );

  it.concurrent('that breaks off gives its room back', async () => {
    await using herald = await start(transport, { HERALD_MAX_BODIES: '1mb', HERALD_MAX_BODY: '900kb' });
    const bytes = `topic=urn:t&data=${'x'.repeat(700 * 1024)}`;
    const head = await publication();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await using broken = Upload.begin(transport, herald, head);
      await broken.write(bytes);
    }
    // The hub hears of the end a moment later.
    for (let status = 503; status !== 200;) {
      await using upload = Upload.begin(transport, herald, head);
      void upload.write(bytes);
      upload.end();
      ({ status } = await upload.answer);
      expect([200, 503]).toContain(status);
    }
  });

  it.concurrent.each([
    ['is announced', { 'content-length': '2000000' }],
    ['comes', {}],
  ])('above the limit is refused as soon as that %s', async (_, headers: Record<string, string>) => {
    await using herald = await start(transport);
    await using upload = Upload.begin(transport, herald, await publication(headers));
    void upload.write('x'.repeat('content-length' in headers ? 10 : 1_100_000));
    const { status, body } = await upload.answer;
    expect({ status, code: codeOf(body) }).toEqual({ status: 413, code: 'body-too-large' });
  });

  it.concurrent('of a subscription may be smaller than others', async () => {
    await using herald = await start(transport);
    const head = { path: HUB, method: 'QUERY', headers: { 'content-type': FORM } };
    await using upload = Upload.begin(transport, herald, head);
    void upload.write('x'.repeat(300_000));
    const { status, body } = await upload.answer;
    expect({ status, code: codeOf(body) }).toEqual({ status: 413, code: 'body-too-large' });
  });
});
