import { describe, expect, it } from '@jest/globals';
import type { Connection } from './connection.js';
import { HeraldError } from './errors.js';
import { Feed } from './feed.js';
import { Subscription, type SubscriptionOptions } from './subscription.js';
import type { ConnectionListener, Notice, Source, SourceListener, WireMessage } from './wire.js';

const MATCHER = 'match=urn%3Aa';
const STREAM = '1';

/** A message with `data`, and the same text as its id. */
function message(data: string, topic = 'urn:a', replayed = false): WireMessage {
  return { id: data, type: 'message', data, topics: [topic], replayed };
}

/** A source that does what the test says. */
class Script implements Source {
  cursor = '';
  wanted: readonly (readonly string[])[] = [];

  constructor(readonly listener: SourceListener) {}

  cursorOf(): string {
    return this.cursor;
  }

  /** Delivers a message for each text, and moves the cursor to its id before. */
  bring(...texts: readonly string[]): void {
    for (const text of texts) {
      this.cursor = text;
      this.listener.message(message(text), STREAM);
    }
  }

  want(bundles: readonly (readonly string[])[]): void {
    this.wanted = bundles;
  }
  hurry(): void {}
  offline(): void {}
  suspend(): void {}
  resume(): void {}
  close(): void {}
}

/** A history that does what the test says. */
class History {
  cursor = '';

  constructor(
    readonly since: string,
    readonly listener: ConnectionListener,
  ) {}

  bring(...texts: readonly string[]): void {
    for (const text of texts) {
      this.cursor = text;
      this.listener.message(message(text, 'urn:a', true));
    }
  }

  want(): void {}
  close(): void {}
}

interface Stage {
  readonly feed: Feed;
  readonly stream: Script;
  readonly histories: History[];
  readonly got: string[];
  /** The types of the notices that the application was told of, and `progress` for each step of the cursor. */
  readonly told: string[];
  readonly hasHistory: Promise<void>;
}

const SELECTOR = { matcher: MATCHER, name: 'urn:a', isOpenEnded: false, test: (topic: string) => topic === 'urn:a' };

/** A feed with one subscriber, whose stream and histories the test brings. */
async function start(options: Partial<SubscriptionOptions> = {}): Promise<Stage> {
  const scripts: Script[] = [];
  const histories: History[] = [];
  const got: string[] = [];
  const told: string[] = [];
  let noteHistory: () => void;
  const hasHistory = new Promise<void>((resolve) => (noteHistory = resolve));
  const feed = new Feed({
    open: (listener) => {
      const script = new Script(listener);
      scripts.push(script);
      return script;
    },
    openAt: (since, listener) => {
      noteHistory();
      const history = new History(since, listener);
      histories.push(history);
      return history as unknown as Connection;
    },
    emit: (name, detail) => void told.push(name === 'notice' ? (detail as Notice).type : (detail as HeraldError).code),
    onState: () => undefined,
    onProgress: () => void told.push('progress'),
  });
  const onError = ({ message: text }: Error): void => void got.push(text);
  feed.add(new Subscription([SELECTOR], '', { handler: ({ text }) => void got.push(text), onError, ...options }));
  await Promise.resolve();
  const [stream] = scripts;
  if (!stream) throw new Error('no stream was opened');
  stream.listener.covers(STREAM, new Set([MATCHER]));
  return { feed, stream, histories, got, told, hasHistory };
}

describe('a feed whose subscriber has missed something', () => {
  it('delivers once what its history brings and then its stream, which is the slower one', async () => {
    const { stream, histories, got, hasHistory } = await start();
    stream.bring('1');
    stream.listener.missed(STREAM, '1');
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
    stream.listener.missed(STREAM, '1');
    await hasHistory;
    stream.bring('3', '4');
    histories[0]?.bring('2', '3', '4');
    histories[0]?.listener.notice({ type: 'caught-up' });
    stream.bring('5');
    await Promise.resolve();

    expect(got).toEqual(['1', '2', '3', '4', '5']);
  });
});

describe('a feed whose stream is behind the history', () => {
  it('goes on from where the history was, when the stream is lost before it has come up to that', async () => {
    const { stream, histories, got, hasHistory } = await start();
    stream.bring('1');
    stream.listener.missed(STREAM, '1');
    await hasHistory;
    histories[0]?.bring('2', '3');
    histories[0]?.listener.notice({ type: 'caught-up' });
    stream.listener.covers(STREAM, new Set());
    stream.listener.covers(STREAM, new Set([MATCHER]));
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(histories[1]?.since).toBe('3');
    expect(got).toEqual(['1', '2', '3']);
  });
});

describe('a feed that comes to a stream which is behind', () => {
  /** The tab has left those that it shared with, and is with others now. */
  async function move(): Promise<Stage> {
    const stage = await start();
    const { stream, hasHistory } = stage;
    stream.bring('2', '3');
    stream.listener.covers(STREAM, new Set());
    stream.cursor = '0';
    stream.listener.covers(STREAM, new Set([MATCHER]));
    await hasHistory;
    return stage;
  }

  /** The stream has been away, and brings what it had missed. */
  async function replay({ stream }: Stage, ...texts: readonly string[]): Promise<void> {
    for (const text of texts) stream.listener.message(message(text, 'urn:a', true), STREAM);
    stream.listener.notice({ type: 'caught-up' }, STREAM);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  it('delivers what is new alone, where the stream comes up after the history', async () => {
    const stage = await move();
    const { stream, histories, got } = stage;
    histories[0]?.bring('4');
    histories[0]?.listener.notice({ type: 'caught-up' });
    await replay(stage, '1', '2', '3', '4', '5');
    histories[1]?.bring('5');
    histories[1]?.listener.notice({ type: 'caught-up' });
    stream.bring('6');
    await Promise.resolve();
    expect(histories.map(({ since }) => since)).toEqual(['3', '4']);
    expect(got).toEqual(['2', '3', '4', '5', '6']);
  });

  it('delivers what is new alone, where the stream comes up before the history', async () => {
    const stage = await move();
    const { stream, histories, got } = stage;
    await replay(stage, '1', '2', '3');
    histories[1]?.listener.notice({ type: 'caught-up' });
    stream.bring('4');
    await Promise.resolve();
    expect(histories.map(({ since }) => since)).toEqual(['3', '3']);
    expect(got).toEqual(['2', '3', '4']);
  });

  it('delivers what the stream brings when it comes back later', async () => {
    const stage = await move();
    const { stream, histories, got } = stage;
    histories[0]?.listener.notice({ type: 'caught-up' });
    stream.bring('4');
    await replay(stage, '5', '6');
    expect(histories).toHaveLength(1);
    expect(got).toEqual(['2', '3', '4', '5', '6']);
  });

  it('does not wait for a stream that is gone, or whose end of the history was missed', async () => {
    const { stream, histories, got } = await move();
    for (const again of [
      () => stream.listener.missed(STREAM, '1'),
      () => {
        stream.listener.covers(STREAM, new Set());
        stream.listener.covers(STREAM, new Set([MATCHER]));
      },
    ]) {
      stream.listener.message(message('1', 'urn:a', true), STREAM);
      again();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    expect(histories.map(({ since }) => since)).toEqual(['3', '3', '3']);
    expect(got).toEqual(['2', '3']);
  });
});

describe('two publications with the same id', () => {
  it('are both delivered by a stream', async () => {
    const { stream, got } = await start();
    stream.bring('1', '1');
    await Promise.resolve();
    expect(got).toEqual(['1', '1']);
  });

  it('are both delivered by a history, and each once where the stream meets it', async () => {
    const { stream, histories, got, hasHistory } = await start();
    stream.bring('0');
    stream.listener.missed(STREAM, '0');
    await hasHistory;
    stream.bring('1', '2', '1', '3');
    histories[0]?.bring('1', '1', '2');
    histories[0]?.listener.notice({ type: 'caught-up' });
    await Promise.resolve();
    expect(got).toEqual(['0', '1', '1', '2', '1', '3']);
  });
});

describe('a feed whose hub refuses a topic', () => {
  it('tells its subscriber alone, and asks for it no more', async () => {
    const states: unknown[] = [];
    const { feed, stream, told } = await start();
    const bad = { matcher: 'match=bad', name: 'bad', isOpenEnded: false, test: () => false };
    const onState = (state: string, error?: Error): void => void states.push([state, error?.message]);
    const subscription = new Subscription([bad], '', { handler: () => undefined, onError: () => undefined, onState });
    feed.add(subscription);
    stream.listener.refused('match=bad', new HeraldError('refused', 'why'));
    await Promise.resolve();
    expect(states).toEqual([['refused', 'why']]);
    expect(subscription.error?.message).toBe('why');
    expect(stream.wanted).toEqual([[MATCHER]]);
    expect(told).toEqual(['refused']);
  });
});

describe('a feed whose subscriber has stopped', () => {
  it('gives it nothing more, also of what it had begun to deliver', async () => {
    const { feed, stream } = await start();
    const got: string[] = [];
    const others: Subscription[] = [];
    const handler = ({ text }: { readonly text: string }): void => {
      got.push(text);
      for (const other of others) other.end();
    };
    for (let count = 0; count < 2; count += 1) {
      others.push(new Subscription([SELECTOR], '', { handler, onError: () => undefined }));
    }
    for (const other of others) feed.add(other);
    stream.bring('1');
    await Promise.resolve();
    expect(got).toEqual(['1']);
  });
});

describe('a message that nobody has subscribed to', () => {
  it('is reported once', async () => {
    const { stream, told } = await start();
    stream.listener.message(message('1', 'urn:other'), STREAM);
    stream.listener.message(message('2', 'urn:other'), STREAM);
    expect(told.filter((one) => one !== 'progress')).toEqual(['topics-unknown']);
  });

  it('is not reported while the stream still carries what somebody has stopped to read', async () => {
    const { stream, told } = await start();
    stream.listener.covers(STREAM, new Set([MATCHER, 'match=urn%3Aother']));
    stream.listener.message(message('1', 'urn:other'), STREAM);
    expect(told).toEqual(['progress']);
  });
});

describe('a message that another tab has subscribed to', () => {
  it('is not reported while a subscriber waits here who wants it, among other topics', async () => {
    const { feed, stream, told } = await start();
    const options = { handler: () => undefined, onError: () => undefined };
    const others = ['urn:other', 'urn:more'].map((name) => ({
      matcher: `match=${encodeURIComponent(name)}`,
      name,
      isOpenEnded: false,
      test: (topic: string) => topic === name,
    }));
    feed.add(new Subscription(others, '', options));
    stream.listener.covers(STREAM, new Set([MATCHER, 'match=urn%3Aother']));
    stream.listener.message(message('1', 'urn:other'), STREAM);
    expect(told).toEqual(['progress']);
  });

  it('is not reported while it is unknown what the stream of that tab covers', async () => {
    const { stream, told } = await start();
    stream.listener.message(message('1', 'urn:other'), 'another stream');
    expect(told).toEqual(['progress']);
  });
});

describe('a feed whose source moves on without a message', () => {
  it('keeps the notice to itself that says only where the stream is, and has it remembered', async () => {
    const { stream, told } = await start();
    stream.listener.notice({ type: 'cursor' }, STREAM);
    stream.listener.notice({ type: 'drain' }, STREAM);
    expect(told).toEqual(['progress', 'drain', 'progress']);
  });
});
