import type { JSX } from 'preact';
import { originOf } from './columns.js';
import type { LogMessage } from './message-log.js';
import { firstOf, type Searched } from './searched.js';
import { formatMoment, formatTime, t } from './translation.js';
import { visible } from './visible-text.js';

/** Characters of a text that a row has at most: more are never seen. */
const LONGEST_TEXT = 300;

/** Characters before what was searched for, so that it can be seen where it stands. */
const CONTEXT = 10;

/** Characters at the end of a topic that stay when it is shortened, unless its last part is shorter. */
const LONGEST_END = 24;

interface CellsProps {
  readonly message: LogMessage;
  readonly searched: Searched;
  /** What all topics begin with; see `Columns`. */
  readonly origin: string | undefined;
}

/** What a row of the log has of a message. */
export function Cells({ message, searched, origin }: CellsProps): JSX.Element {
  const { at, isHistory, isReplayed, latency } = message;
  const topic = visible(message.topic);
  const type = visible(message.type);
  return (
    <>
      <span class="at" title={isHistory && formatMoment(at)}>
        {formatTime(at)}
      </span>
      <TopicCell topic={topic} words={searched.topic} origin={origin} />
      <span class="type" title={type}>
        {type === 'message' ? '' : <Highlighted text={type} words={searched.type} />}
      </span>
      <span class="text">
        <Highlighted text={visible(excerptOf(message.text, searched.text))} words={searched.text} />
      </span>
      <span class="extra">
        {isHistory && <span class="badge">{t('history')}</span>}
        {isReplayed && <span class="badge">{t('replayed')}</span>}
        {latency !== undefined && t('milliseconds', { n: latency })}
      </span>
    </>
  );
}

interface TopicProps {
  readonly topic: string;
  readonly words: readonly string[];
  readonly origin: string | undefined;
}

/** A topic of which the middle is left out where there is no room, and the origin where all have the same. */
function TopicCell({ topic, words, origin }: TopicProps): JSX.Element {
  const isShort = origin !== undefined && originOf(topic) === origin;
  const shown = isShort ? topic.slice(origin.length) : topic;
  const end = endOf(shown, words);
  return (
    <span class="topic" title={topic}>
      {isShort && <span class="unseen">{origin}</span>}
      <span class="head">
        <Highlighted text={shown.slice(0, end)} words={words} />
      </span>
      <span class="tail">
        <Highlighted text={shown.slice(end)} words={words} />
      </span>
    </span>
  );
}

/** Where the part of a topic begins that is not left out: its last segment, or what was searched for. */
function endOf(topic: string, words: readonly string[]): number {
  const segment = topic.lastIndexOf('/', topic.length - 2);
  const end = Math.max(segment, topic.length - LONGEST_END, 0);
  const found = firstOf(topic, words);
  return found && found.from < end ? Math.max(0, found.from - 1) : end;
}

/** The beginning of a text, or of what is around the first of the words, if that is further on. */
function excerptOf(text: string, words: readonly string[]): string {
  const found = firstOf(text, words);
  if (!found || found.to <= 2 * CONTEXT) return text.slice(0, LONGEST_TEXT);
  const from = found.from - CONTEXT;
  return `…${text.slice(from, from + LONGEST_TEXT)}`;
}

/** A text in which the words stand out. */
function Highlighted({ text, words }: { text: string; words: readonly string[] }): JSX.Element {
  const parts: (string | JSX.Element)[] = [];
  let done = 0;
  for (let found = firstOf(text, words); found; found = firstOf(text, words, done)) {
    parts.push(text.slice(done, found.from), <mark>{text.slice(found.from, found.to)}</mark>);
    done = found.to;
  }
  return (
    <>
      {parts}
      {text.slice(done)}
    </>
  );
}
