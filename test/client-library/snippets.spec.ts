import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { publishSnippet, type SnippetLanguage, subscribeSnippet } from '../../client/console/snippets.js';
import type { SnippetSubject } from '../../client/console/snippet-code.js';
import { LibrarySite } from '../browser/library-site.js';
import type { Herald } from '../support/herald.js';
import { HUB, Publisher, publisherToken, startHub, subscriberToken } from '../support/hub.js';
import { curl, describeWith, go, php, type Program, python } from '../support/programs.js';
import { type Answer, ScriptedHub, status, stream } from './scripted-hub.js';
import { SnippetProgram, type SnippetRun } from './snippet-program.js';

/** What has a meaning of its own in a shell or in a string of one of the languages. */
const ODD = String.raw`it's "quoted" $HOME ${'`id`'} \n \\ %s #{x} é`;

const node: Program = { name: 'node', path: process.execPath, install: '' };

/** How a text is run, given the path of what runs it. */
type Runs = (path: string) => Pick<SnippetRun, 'file' | 'command'>;

const BACK_BY_ITSELF: readonly (readonly [SnippetLanguage, Program, Runs])[] = [
  ['node', node, (path) => ({ file: 'main.mjs', command: [path, 'main.mjs'] })],
  ['python', python, (path) => ({ file: 'main.py', command: [path, '-I', 'main.py'] })],
  ['php', php, (path) => ({ file: 'main.php', command: [path, 'main.php'] })],
  ['go', go, (path) => ({ file: 'main.go', command: [path, 'run', 'main.go'] })],
];

/** Go compiles what it runs. */
const PATIENCE = 180_000;

describe('the programs that the console offers', () => {
  let herald: Herald;
  let publisher: Publisher;

  beforeAll(async () => {
    herald = await startHub();
    publisher = await Publisher.of(herald);
  });

  afterAll(async () => {
    publisher[Symbol.dispose]();
    await herald[Symbol.asyncDispose]();
  });

  function subjectAt(site: Pick<LibrarySite, 'url'>, topic: string): SnippetSubject {
    return {
      hubUrl: site.url + HUB,
      libraryUrl: `${site.url}/herald/client.js`,
      topics: [
        { kind: 'exact', text: topic },
        { kind: 'pattern', text: 'https://example.com/never/:id' },
      ],
      since: '',
      type: '',
      needsToken: true,
    };
  }

  async function subscribing(language: SnippetLanguage, subject: SnippetSubject, runs: ReturnType<Runs>) {
    const token = subject.needsToken ? await subscriberToken() : '';
    return SnippetProgram.start({ text: subscribeSnippet(language, subject), token, ...runs });
  }

  /** Publishes by the program, and resolves with what it has printed. */
  async function publish(
    language: SnippetLanguage,
    subject: SnippetSubject,
    update: Parameters<typeof publishSnippet>[2],
    runs: ReturnType<Runs>,
  ): Promise<string> {
    const text = publishSnippet(language, subject, update);
    await using program = await SnippetProgram.start({ text, token: await publisherToken(), ...runs });
    await program.ended;
    return program.output.trim();
  }

  for (const [language, needed, runs] of BACK_BY_ITSELF) {
    describeWith(needed, `in ${language}`, (path) => {
      it(
        'publish and receive whatever text it is, and miss nothing when the connection is cut',
        async () => {
          await using site = await LibrarySite.before(herald);
          const topic = `https://example.com/${language}/${ODD}`;
          const subject = subjectAt(site, topic);
          await using reader = await subscribing(language, subject, runs(path));
          await site.has(1);
          const published = await publish(language, subject, { topic, type: 'message', data: ODD }, runs(path));
          expect(published).toMatch(/^urn:uuid:[\da-f-]{36}$/);
          await publisher.publish({ topic, data: 'two\n\nlines', private: 'on' });
          await reader.prints('lines');
          expect(reader.lines.slice(0, 4)).toEqual([ODD, 'two', '', 'lines']);

          site.goAway();
          await site.has(0);
          await publisher.publish({ topic, data: 'meanwhile' });
          site.comeBack();
          await reader.prints('meanwhile');
          await publisher.publish({ topic, data: 'afterwards' });
          await reader.prints('afterwards');
          expect(reader.lines.filter(Boolean)).toEqual([ODD, 'two', 'lines', 'meanwhile', 'afterwards']);
        },
        PATIENCE,
      );

      it(
        'begin where they are to, without a token, and print one type alone',
        async () => {
          await using site = await LibrarySite.before(herald);
          const topic = `https://example.com/${language}/types`;
          const subject = { ...subjectAt(site, topic), since: '#3', type: ODD, needsToken: false };
          await publisher.publish({ topic, type: ODD, data: 'too old' });
          await publish(language, subject, { topic, type: ODD, data: 'wanted' }, runs(path));
          await publisher.publish({ topic, type: 'other', data: 'unwanted' });
          await publisher.publish({ topic, type: ODD, data: 'end' });
          const text = subscribeSnippet(language, subject);
          expect(text).not.toContain('HERALD_TOKEN');
          await using reader = await subscribing(language, subject, runs(path));
          await reader.prints('end');
          expect(reader.lines.filter(Boolean)).toEqual(['wanted', 'end']);
        },
        PATIENCE,
      );

      it(
        'go on after the last update that was whole, also where an outage lasts',
        async () => {
          const cut: Answer = (response) => {
            stream('id: 1\ndata: one\n\nevent: herald\nid: cursor\ndata: {}\n\nid: 3\ndata: th')(response);
            response.write('r', () => response.destroy());
          };
          await using hub = await ScriptedHub.start(cut, status(503), stream('id: 3\ndata: three\n\n'));
          const subject = { ...subjectAt({ url: hub.url }, 'urn:any'), needsToken: false };
          await using reader = await subscribing(language, subject, runs(path));
          await reader.prints('three');
          expect(reader.lines.filter(Boolean)).toEqual(['one', 'three']);
          expect(hub.requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, 'cursor', 'cursor']);
        },
        PATIENCE,
      );

      it(
        'end and say why where the token is refused',
        async () => {
          await using site = await LibrarySite.before(herald);
          const subject = subjectAt(site, 'https://example.com/refused');
          const text = subscribeSnippet(language, subject);
          await using reader = await SnippetProgram.start({ text, token: 'not.a.token', ...runs(path) });
          await reader.ended;
          expect(reader.output).toContain('token-invalid');
        },
        PATIENCE,
      );
    });
  }

  describeWith(curl, 'for curl', () => {
    const shell = { file: 'main.sh', command: ['/bin/sh', 'main.sh'] } as const;

    it('publish and receive whatever text it is', async () => {
      await using site = await LibrarySite.before(herald);
      const topic = `https://example.com/curl/${ODD}`;
      const subject = { ...subjectAt(site, topic), since: 'earliest' };
      await using reader = await subscribing('curl', subject, shell);
      await site.has(1);
      const published = await publish('curl', subject, { topic, type: ODD, data: ODD }, shell);
      expect(published).toMatch(/urn:uuid:[\da-f-]{36}$/);
      await reader.prints(`data: ${ODD}`);
      expect(reader.lines).toContain(`event: ${ODD}`);
    });
  });
});
