import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import fc from 'fast-check';
import { pretty, toCurl, toFrame, toNdjson, toSubscribeCurl } from '../../client/console/exports.js';
import type { LogMessage } from '../../client/console/message-log.js';

function message(fields: Partial<LogMessage> = {}): LogMessage {
  return {
    kind: 'message',
    serial: 1,
    at: 0,
    id: 'urn:1',
    topic: 't',
    type: 'message',
    text: '',
    isReplayed: false,
    latency: undefined,
    ...fields,
  };
}

/** The arguments that a shell makes of a command. */
function argumentsOf(command: string): string[] {
  const program = 'curl() { for argument in "$@"; do printf "%s\\0" "$argument"; done; }; ';
  return execFileSync('/bin/sh', ['-c', program + command], { encoding: 'utf8', env: { HERALD_TOKEN: 'secret' } })
    .split('\0')
    .slice(0, -1);
}

describe('what the log can be taken away as', () => {
  it('is a line of JSON for each message', () => {
    const lines = toNdjson([message({ text: 'a\n"b"' }), message({ id: 'urn:2' })], ({ id }) => id === 'urn:2').split(
      '\n',
    );
    expect(lines).toHaveLength(3);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ id: 'urn:1', topic: 't', data: 'a\n"b"', private: false });
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ id: 'urn:2', private: true });
    expect(lines[2]).toBe('');
  });

  it('is a command whose words the shell leaves as they are', () => {
    const word = fc.string({ unit: 'grapheme', maxLength: 40 });
    fc.assert(
      fc.property(word, word, (topic, text) => {
        expect(argumentsOf(toCurl('https://hub.example/hub', { topic, type: 'x', text }))).toEqual([
          '-H',
          'Authorization: Bearer secret',
          '--data-urlencode',
          `topic=${topic}`,
          '--data-urlencode',
          'type=x',
          '--data-urlencode',
          `data=${text}`,
          'https://hub.example/hub',
        ]);
      }),
      { numRuns: 30 },
    );
    const dangerous = "a\u0003\ntouch /tmp/x\r\u001b[201~ é 'b'";
    const command = toCurl('https://hub.example/hub', { topic: 't', type: 'message', text: dangerous });
    expect(command).not.toMatch(/\p{Cc}/u);
    const [option, field] = argumentsOf(command).slice(4);
    expect([option, new URLSearchParams(field).get('data')]).toEqual(['-d', dangerous]);
    const reading = toSubscribeCurl('https://hub.example/hub', [
      ['match', "a'b&c"],
      ['match_urlpattern', '/:id'],
    ]);
    expect(argumentsOf(reading).at(-1)).toBe(`https://hub.example/hub?match=a'b%26c&match_urlpattern=%2F%3Aid`);
  });

  it('is a frame that a parser takes for the message', () => {
    const line = fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[\r\n]/g, ''));
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('message', 'created'),
        (lines, type) => {
          const events: EventSourceMessage[] = [];
          createParser({ onEvent: (event) => events.push(event) }).feed(
            `${toFrame(message({ text: lines.join('\n'), type }))}\n\n`,
          );
          expect(events).toEqual([
            { id: 'urn:1', data: lines.join('\n'), event: type === 'message' ? undefined : type },
          ]);
        },
      ),
    );
  });

  it('is JSON with indents, and anything else as it is', () => {
    expect(pretty('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
    expect(pretty('no json')).toBe('no json');
  });
});
