import { describe, expect, it } from '@jest/globals';
import { send } from '../support/event-stream.js';
import { compiled, ExampleProgram, exampleIn } from '../support/examples.js';
import { Publisher, startHub, subscribe } from '../support/hub.js';
import { describeWith, php } from '../support/programs.js';
import { dataOf } from '../protocol/exchange.js';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_BODY = { 'content-type': 'application/json' };

/** Logs in, and checks that the user gets what is theirs, and that nobody else does. */
async function expectSessionsToCount(
  application: ExampleProgram,
  { login, authorize, body }: { login: string; authorize: string; body: string },
): Promise<void> {
  const headers = body.startsWith('{') ? JSON_BODY : FORM;
  const answer = await send(`${application.url}${login}`, { method: 'POST', headers }, body);
  answer.resume();
  expect(answer.statusCode).toBe(204);
  // Of several of the same name, a browser keeps the last one.
  const cookie = answer.headers['set-cookie']?.at(-1)?.split(';')[0] ?? '';
  expect(cookie).not.toBe('');
  await using herald = await startHub({ HERALD_AUTHORIZE_URL: application.url + authorize });
  await using ann = await subscribe(herald, { query: 'match=*', headers: { cookie } });
  await using nobody = await subscribe(herald, { query: 'match=*', headers: { cookie: 'session=none' } });
  using publisher = await Publisher.of(herald);
  await publisher.publish({ topic: 'https://example.com/users/ann', data: 'for ann', private: 'on' });
  await publisher.publish({ topic: 'https://example.com/users/bob', data: 'for bob', private: 'on' });
  await publisher.publish({ topic: 'urn:all', data: 'for all' });
  for (const stream of [ann, nobody]) await stream.until(({ events }) => events.at(-1)?.data === 'for all');
  expect([dataOf(ann), dataOf(nobody)]).toEqual([['for ann', 'for all'], ['for all']]);
}

describe('the example of an application with sessions', () => {
  it('in Nest works as it is printed', async () => {
    const files = { 'main.mjs': await compiled(await exampleIn('sessions.md', 'nest')) };
    await using application = await ExampleProgram.start(files, [process.execPath, 'main.mjs']);
    await expectSessionsToCount(application, {
      login: '/login',
      authorize: '/herald/authorize',
      body: JSON.stringify({ name: 'ann' }),
    });
  });
});

describeWith(php, 'the example of an application with sessions, in PHP', (program) => {
  it('works as it is printed', async () => {
    const files = {
      'login.php': await exampleIn('sessions.md', 'php login.php'),
      'authorize.php': await exampleIn('sessions.md', 'php authorize.php'),
    };
    // PHP keeps sessions in one folder for all programs otherwise.
    const command = [program, '-d', 'session.save_path=.', '-S', '127.0.0.1:$PORT'] as const;
    await using application = await ExampleProgram.start(files, command);
    await expectSessionsToCount(application, { login: '/login.php', authorize: '/authorize.php', body: 'name=ann' });
  });
});
