import { describe, expect, it } from '@jest/globals';
import { Feed } from './feed.js';
import { Subscription } from './subscription.js';
import type { Notice, Source, SourceListener, WireMessage } from './wire.js';

const MATCHER = 'match=urn%3Aa';

/** A message with `data`, and the same text as its id. */
function message(data: string): WireMessage {
  return { id: data, type: 'message', data, topics: ['urn:a'], replayed: false };
}

/** A source that does what the test says. */
class Script implements Source {
  cursor = '';

  constructor(readonly listener: SourceListener) {}

  /** Delivers a message for each text, and moves the cursor to its id before. */
  bring(...texts: readonly string[]): void {
    for (const text of texts) {
      this.cursor = text;
      this.listener.message(message(text));
    }
  }

  want(): void {}
  hurry(): void {}
  suspend(): void {}
  resume(): void {}
  close(): void {}
}

/** A feed with one subscriber, whose stream and histories the test brings. */
async function start(): Promise<{
  stream: Script;
  histories: Script[];
  got: string[];
  /** The types of the notices that the application was told of, and `progress` for each step of the cursor. */
  told: string[];
  hasHistory: Promise<void>;
}> {
  const scripts: Script[] = [];
  const histories: Script[] = [];
  const got: string[] = [];
  const told: string[] = [];
  let noteHistory: () => void;
  const hasHistory = new Promise<void>((resolve) => (noteHistory = resolve));
  const make = (list: Script[], listener: SourceListener): Script => {
    const script = new Script(listener);
    list.push(script);
    return script;
  };
  const feed = new Feed({
    open: (listener) => make(scripts, listener),
    openAt: (_since, listener) => {
      noteHistory();
      return make(histories, listener);
    },
    emit: (name, detail) => void (name === 'notice' && told.push((detail as Notice).type)),
    onState: () => undefined,
    onProgress: () => void told.push('progress'),
  });
  const selector = { matcher: MATCHER, name: 'urn:a', isOpenEnded: false, test: () => true };
  const onError = ({ message: text }: Error): void => void got.push(text);
  feed.add(new Subscription([selector], { handler: ({ text }) => void got.push(text), onError }));
  await Promise.resolve();
  const [stream] = scripts;
  if (!stream) throw new Error('no stream was opened');
  stream.listener.covers(new Set([MATCHER]));
  return { stream, histories, got, told, hasHistory };
}

describe('a feed whose subscriber has missed something', () => {
  it('delivers once what its history brings and then its stream, which is the slower one', async () => {
    const { stream, histories, got, hasHistory } = await start();
    stream.bring('1');
    stream.listener.missed('1');
    await hasHistory;
    histories[0]?.bring('2', '3');
    histories[0]?.listener.notice({ type: 'caught-up' });
    stream.bring('3', '4');
    await Promise.resolve();

    expect(got).toEqual(['1', '2', '3', '4']);
  });

  it('delivers once what its stream brings before its history has it', async () => {
    const { stream, histories, got, hasHistory } = await start();
    stream.bring('1');
    stream.listener.missed('1');
    await hasHistory;
    stream.bring('3', '4');
    histories[0]?.bring('2', '3');
    stream.bring('5');
    await Promise.resolve();

    expect(got).toEqual(['1', '2', '3', '4', '5']);
  });
});

describe('a feed whose source moves on without a message', () => {
  it('keeps the notice to itself that says only where the stream is, and has it remembered', async () => {
    const { stream, told } = await start();
    stream.listener.notice({ type: 'cursor' });
    stream.listener.notice({ type: 'drain' });
    expect(told).toEqual(['progress', 'drain', 'progress']);
  });
});
