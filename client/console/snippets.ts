import { toCurl } from './exports.js';
import type { SnippetSubject, SnippetUpdate } from './snippet-code.js';
import {
  curlSubscribe,
  eventSourceSubscribe,
  fetchPublish,
  heraldPublish,
  heraldSubscribe,
} from './snippets-browser.js';
import {
  goPublish,
  goSubscribe,
  nodePublish,
  nodeSubscribe,
  phpPublish,
  phpSubscribe,
  pythonPublish,
  pythonSubscribe,
} from './snippets-servers.js';

export const SNIPPET_LANGUAGES = ['curl', 'eventsource', 'herald', 'node', 'python', 'php', 'go'] as const;
export type SnippetLanguage = (typeof SNIPPET_LANGUAGES)[number];

/** Names of things, which are the same in every language. */
export const SNIPPET_TITLES: Readonly<Record<SnippetLanguage, string>> = {
  curl: 'curl',
  eventsource: 'EventSource',
  herald: 'herald-hub-client',
  node: 'Node.js',
  python: 'Python',
  php: 'PHP',
  go: 'Go',
};

const SUBSCRIBE: Readonly<Record<SnippetLanguage, (subject: SnippetSubject, url: string) => string>> = {
  curl: curlSubscribe,
  eventsource: eventSourceSubscribe,
  herald: heraldSubscribe,
  node: nodeSubscribe,
  python: pythonSubscribe,
  php: phpSubscribe,
  go: goSubscribe,
};

const PUBLISH: Readonly<Record<SnippetLanguage, (subject: SnippetSubject, update: SnippetUpdate) => string>> = {
  curl: ({ hubUrl }, { topic, type, data }) => `${toCurl(hubUrl, { topic, type, text: data })}\n`,
  eventsource: fetchPublish,
  herald: heraldPublish,
  node: nodePublish,
  python: pythonPublish,
  php: phpPublish,
  go: goPublish,
};

/** A program that prints the data of what comes. A token is never part of it: it is in the variable HERALD_TOKEN. */
export function subscribeSnippet(language: SnippetLanguage, subject: SnippetSubject): string {
  return SUBSCRIBE[language](subject, streamUrl(subject));
}

/** A program that publishes an update and prints its id. The token is in the variable HERALD_TOKEN. */
export function publishSnippet(language: SnippetLanguage, subject: SnippetSubject, update: SnippetUpdate): string {
  return PUBLISH[language](subject, update);
}

/** The header `Last-Event-ID` of somebody who comes back wins over where the query begins. */
function streamUrl({ hubUrl, topics, since }: SnippetSubject): string {
  const wanted = topics.length > 0 ? topics : [{ kind: 'exact', text: '*' } as const];
  const query = new URLSearchParams(
    wanted.map(({ kind, text }) => [kind === 'exact' ? 'match' : 'match_urlpattern', text]),
  );
  if (since.startsWith('#')) query.set('last', since.slice(1));
  else if (since !== '') query.set('last_event_id', since);
  return `${hubUrl}?${query.toString()}`;
}
