import { describe, expect, it } from '@jest/globals';
import { Body, Controller, Post } from '@nestjs/common';
import { HeraldModule } from '../../src/herald/index.js';
import { form, HUB } from '../support/hub.js';
import { ADAPTERS, NamedUsers, TeamApp } from '../support/team-app.js';

/* Bodies in an application of a team's own: each of its routes gets them from its own parsers, and the hub reads its own. */

const AT = 'https://team.example';

/** A hub at a path that no standard fixes. */
const ORDERS = '/orders/hub';

const THE_HUB = HeraldModule.forRoot({ hubUrl: AT + HUB, grantsResolver: NamedUsers });

@Controller('own')
class OwnController {
  @Post('echo')
  echo(@Body() body: unknown): unknown {
    return { body };
  }
}

/** Its paths end as those of the other hub do. */
@Controller('own/orders/hub')
class NamesakeController {
  @Post()
  echo(@Body() body: unknown): unknown {
    return { body };
  }
}

describe.each(ADAPTERS)('bodies beside a hub on %s', (adapter) => {
  it('leaves the bodies of the application’s own routes to its own parsers', async () => {
    await using team = await TeamApp.start(adapter, { imports: [THE_HUB], controllers: [OwnController] });
    const json = await team.ask('/own/echo', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'a book' }),
    });
    expect(json).toMatchObject({ status: 201, text: JSON.stringify({ body: { title: 'a book' } }) });
    const fields = await team.ask('/own/echo', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form({ title: 'a book' }),
    });
    expect(fields).toMatchObject({ status: 201, text: JSON.stringify({ body: { title: 'a book' } }) });
  });

  it('leaves a route alone whose path only ends as the hub’s does', async () => {
    const hub = HeraldModule.forRoot({ hubUrl: AT + ORDERS, path: ORDERS, grantsResolver: NamedUsers });
    await using team = await TeamApp.start(adapter, { imports: [hub], controllers: [NamesakeController] });
    const headers = { 'content-type': 'application/json' };
    expect(await team.ask(`/own${ORDERS}`, { method: 'POST', headers, body: '{"title":"a book"}' })).toMatchObject({
      text: JSON.stringify({ body: { title: 'a book' } }),
    });
    expect(await team.publish({ topic: `${AT}/a`, data: '' }, { hub: ORDERS })).toMatchObject({ status: 200 });
  });

  it('gives no handler the request itself for a body, whatever type a stranger names', async () => {
    await using team = await TeamApp.start(adapter, { imports: [THE_HUB], controllers: [OwnController] });
    const headers = { 'content-type': 'application/vnd.herald.unread' };
    const answer = await team.ask('/own/echo', { method: 'POST', headers, body: '{}' });
    // On Express nobody parses such a body, and the handler has none.
    expect(answer).toMatchObject(adapter === 'Fastify' ? { status: 415 } : { status: 201, text: '{}' });
  });

  it('takes publications of every kind beside these', async () => {
    await using team = await TeamApp.start(adapter, { imports: [THE_HUB], controllers: [OwnController] });
    await using stream = await team.read();
    expect(await team.publish({ topic: `${AT}/1`, data: 'a form' })).toMatchObject({ status: 200 });
    const headers = { 'x-user': 'ann' };
    const json = { ...headers, 'content-type': 'application/json' };
    const body = JSON.stringify({ topics: [`${AT}/2`], data: 'json' });
    expect(await team.ask(HUB, { method: 'POST', headers: json, body })).toMatchObject({ status: 200 });
    const lines = { ...headers, 'content-type': 'application/x-ndjson' };
    expect(await team.ask(`${HUB}/batch`, { method: 'POST', headers: lines, body: `${body}\n` })).toMatchObject({
      status: 200,
    });
    const events = await stream.take(3);
    expect(events.map(({ data }) => data)).toEqual(['a form', 'json', 'json']);
    const wrong = { ...headers, 'content-type': 'text/plain' };
    expect(await team.ask(HUB, { method: 'POST', headers: wrong, body: 'x' })).toMatchObject({ status: 415 });
  });

  it('looks at credentials before the body', async () => {
    await using team = await TeamApp.start(adapter, { imports: [THE_HUB] });
    const headers = { 'content-type': 'application/json', 'content-length': '1000000' };
    const { status, headers: given } = await team.ask(HUB, { method: 'POST', headers, body: '{' });
    expect([status, given['content-type']]).toEqual([401, 'application/problem+json; charset=utf-8']);
  });

  it('has a limit of its own for what it reads', async () => {
    const limited = { hubUrl: AT + HUB, grantsResolver: NamedUsers, hub: { bodies: { limit: 100 } } };
    await using team = await TeamApp.start(adapter, { imports: [HeraldModule.forRoot(limited)] });
    const topic = `${AT}/a`;
    expect(await team.publish({ topic, data: 'x' })).toMatchObject({ status: 200 });
    expect(await team.publish({ topic, data: 'x'.repeat(100) })).toMatchObject({ status: 413 });
    const lines = { method: 'POST', headers: { 'x-user': 'ann', 'content-type': 'application/x-ndjson' } } as const;
    const body = `${JSON.stringify({ topic, data: 'x'.repeat(100) })}\n`;
    expect((await team.ask(`${HUB}/batch`, { ...lines, body })).text).toContain('body-too-large');
  });
});
