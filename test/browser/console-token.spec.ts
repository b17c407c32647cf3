import { expect, it } from '@jest/globals';
import { ADMIN_KEY, adminToken, publisherToken, RESOURCE, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { add, connectWith, row, TOPIC } from './console-page.js';
import { stage } from './stage.js';
import { Visit } from './visit.js';
import { waitUntil } from './wait-until.js';

describeWith(chromium, 'the tokens in the console', (path) => {
  const on = stage(path, () => startHub({ HERALD_ADMIN_KEY: ADMIN_KEY }));

  async function open(reading: string, publishing: string, look = 'open', administering = ''): Promise<Visit> {
    const visit = await Visit.to(`${on.herald.url}/#/console?panel=token&topic=${TOPIC}a`, on.browser);
    await connectWith(visit.page, { reading, publishing, administering }, look);
    return visit;
  }

  it('are told in words, with the time that is left, and shown only if asked', async () => {
    const reading = await subscriberToken({
      subject: 'ann',
      topics: [{ match: `${TOPIC}books/:id`, match_type: 'urlpattern' }, { match: 'urn:news' }],
      payload: { name: 'Ann' },
    });
    await using visit = await open(reading, await publisherToken({ topics: [{ match: '*' }] }));
    const { page } = visit;
    const section = page.locator('#token-reading');
    await section.locator('.badge', { hasText: 'names this hub' }).waitFor();
    const text = (await section.textContent()) ?? '';
    for (const part of ['ann', 'herald', RESOURCE, `${TOPIC}books/:id`, 'URL Pattern', 'urn:news', '{"name":"Ann"}'])
      expect(text).toContain(part);
    expect(await page.locator('#token-publishing').textContent()).toContain('every topic');
    const left = section.locator('.badge', { hasText: /^0:5\d:\d\d left$/ });
    const first = await left.textContent();
    await waitUntil(
      page,
      (before) => !document.querySelector('#token-reading')?.textContent?.includes(before ?? ''),
      first,
    );

    expect(await page.content()).not.toContain(reading);
    const show = section.getByRole('button');
    await show.press('Enter');
    expect(await section.locator('pre').textContent()).toBe(reading);
    expect(await show.getAttribute('aria-expanded')).toBe('true');
    await show.click();
    expect(await page.content()).not.toContain(reading);
    const kept = await page.evaluate(() =>
      JSON.stringify([location.href, Object.entries(localStorage), Object.entries(sessionStorage)]),
    );
    for (const secret of [reading, await publisherToken()]) expect(kept).not.toContain(secret);
  });

  it('are good for a topic or not, by what they say and by what the hub says', async () => {
    const reading = await subscriberToken({ topics: [{ match: `${TOPIC}:name/1`, match_type: 'urlpattern' }] });
    await using visit = await open(reading, await publisherToken({ topics: [{ match: `${TOPIC}films/1` }] }));
    const { page } = visit;
    const topic = page.locator('#why-topic');
    await topic.fill(`${TOPIC}books/1`);
    await topic.press('Enter');
    await page.locator('#why-read[data-allowed="true"]', { hasText: `${TOPIC}:name/1 in the token matches` }).waitFor();
    await page
      .locator('#why-publish[data-allowed="false"]', { hasText: 'nothing that the token may publish' })
      .waitFor();
    await page.locator('#why-hub', { hasText: 'It takes the token for reading.' }).waitFor();
    expect(await page.locator('#why-hub').textContent()).toContain('It takes the token for publishing.');
    await topic.fill(`${TOPIC}books/2`);
    await page.locator('#why-explain').click();
    await page.locator('#why-read[data-allowed="false"]', { hasText: 'Public updates alone' }).waitFor();
    await topic.fill('*');
    await topic.press('Enter');
    await page.locator('#why-publish', { hasText: 'nobody publishes to *' }).waitFor();
  });

  it('are refused with a reason: for somebody else, signed with another key, or over', async () => {
    const elsewhere = await subscriberToken({ claims: { aud: 'https://other.example/' } });
    await using visit = await open(
      elsewhere,
      await publisherToken({ key: 'another key that is long enough for HS256' }),
      'failed',
    );
    const { page } = visit;
    await page.locator('#token-reading .badge.bad', { hasText: `which is ${RESOURCE}` }).waitFor();
    await page.locator('#why-topic').fill(`${TOPIC}a`);
    await page.locator('#why-explain').click();
    await page.locator('#why-read', { hasText: 'does not name this hub' }).waitFor();
    const hub = page.locator('#why-hub');
    await hub.locator('dd', { hasText: '401 token-invalid' }).first().waitFor();
    expect(await hub.textContent()).toContain('its audience does not name this hub');
    // What the page can't see: only the hub knows the keys.
    expect(await page.locator('#why-publish').getAttribute('data-allowed')).toBe('true');
    expect(await hub.textContent()).toContain('its signature does not verify');

    await page.getByRole('button', { name: 'Disconnect' }).click();
    await page.locator('#panel', { hasText: 'Nobody is connected' }).waitFor();
    const past = await subscriberToken({ expires: new Date(Date.now() - 60_000) });
    await connectWith(page, { reading: past }, 'failed');
    await page.locator('#token-reading .badge.bad', { hasText: 'expired' }).waitFor();
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByRole('button', { name: 'Anonymous' }).click();
    await page.locator('.inspector', { hasText: 'No token: public updates only' }).waitFor();
  });

  it('explain a refused topic, and to an administrator what became of its updates', async () => {
    await using visit = await open(
      await subscriberToken({ subject: 'bob', topics: [{ match: 'urn:x' }] }),
      '',
      'open',
      await adminToken(),
    );
    const { page } = visit;
    await on.publisher.publish({ topic: `${TOPIC}a`, data: '"secret"', private: 'on' });
    await on.publisher.publish({ topic: `${TOPIC}a`, data: '"public"' });
    await row(page, 'public').waitFor();
    await page.locator('#tab-token').click();
    await page.locator('#why-topic').fill(`${TOPIC}a`);
    await page.locator('#why-explain').click();
    const delivered = page.locator('#why-hub li');
    await delivered.first().waitFor();
    expect(await delivered.count()).toBe(2);

    // A pattern that browsers take, and the hub does not: it could take for ever.
    await add(page, '/x/(a|b(?=c))', 'pattern');
    await page.locator('.chips .denied').waitFor();
    await page.locator('.why-refused').click();
    await page.locator('#why-hub dd', { hasText: '400 matcher-invalid' }).waitFor();
  });
});
