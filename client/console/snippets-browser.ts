import type { Topic } from './address.js';
import { quote } from './exports.js';
import { code, literal, type SnippetSubject, type SnippetUpdate } from './snippet-code.js';

export function curlSubscribe({ needsToken, type }: SnippetSubject, url: string): string {
  const token = needsToken ? ' -H "Authorization: Bearer $HERALD_TOKEN"' : '';
  return code(
    "# It does not come back by itself: call it again with -H 'Last-Event-ID: …' and the last id that it has shown.",
    type !== '' && '# It shows updates of every type: the one that is wanted follows "event:".',
    `curl --no-buffer --fail-with-body${token} ${quote(url)}`,
  );
}

/** An `EventSource` comes back by itself, with the last id. */
export function eventSourceSubscribe({ needsToken, type }: SnippetSubject, url: string): string {
  return code(
    needsToken && '// An EventSource sends no HERALD_TOKEN: have your server put it into the cookie of the hub.',
    `const source = new EventSource(${literal(url)}, { withCredentials: ${needsToken} });`,
    type === '' && '// Updates with a type of their own need a listener for that type.',
    `source.addEventListener(${literal(type || 'message')}, ({ data }) => console.log(data));`,
  );
}

export function fetchPublish({ hubUrl }: SnippetSubject, update: SnippetUpdate): string {
  return code(
    '// An EventSource only reads. HERALD_TOKEN is what your server gives to those who may publish.',
    `const response = await fetch(${literal(hubUrl)}, {`,
    '  method: "POST",',
    '  headers: { authorization: `Bearer ${HERALD_TOKEN}` },',
    `  body: new URLSearchParams(${fieldsOf(update)}),`,
    '});',
    'if (!response.ok) throw new Error(await response.text());',
    'console.log(await response.text());',
  );
}

/** The library comes back by itself, and with a new token where `token` gives one. */
export function heraldSubscribe(subject: SnippetSubject): string {
  const { topics, since, type } = subject;
  const [only, ...others] = topics.map(matchOf);
  const match = others.length > 0 ? `[${[only, ...others].join(', ')}]` : (only ?? '"*"');
  const begin = since.startsWith('#') ? `last: ${Number(since.slice(1))}` : `since: ${literal(since)}`;
  const filter = type === '' ? '' : `if (type === ${literal(type)}) `;
  return code(
    ...client(subject, subject.needsToken),
    `herald.subscribe(${match}, ({ ${type === '' ? '' : 'type, '}text }) => {`,
    `  ${filter}console.log(text);`,
    since === '' ? '});' : `}, { ${begin} });`,
  );
}

export function heraldPublish(subject: SnippetSubject, { topic, data, type }: SnippetUpdate): string {
  const options = type === 'message' ? '' : `, { type: ${literal(type)} }`;
  return code(
    ...client(subject, true),
    '// The library publishes JSON.',
    `console.log(await herald.publish(${literal(topic)}, ${valueOf(data)}${options}));`,
  );
}

/** The fields of the form that publishes an update, as an object of JavaScript. */
export function fieldsOf({ topic, data, type }: SnippetUpdate): string {
  const kind = type === 'message' ? '' : `, type: ${literal(type)}`;
  return `{ topic: ${literal(topic)}, data: ${literal(data)}${kind} }`;
}

function client({ hubUrl, libraryUrl }: SnippetSubject, needsToken: boolean): string[] {
  return [
    `import { createHeraldClient } from ${literal(libraryUrl)};`,
    '',
    ...(needsToken ? ['// HERALD_TOKEN is what your server gives to this reader.'] : []),
    `const herald = createHeraldClient({ url: ${literal(hubUrl)}${needsToken ? ', token: () => HERALD_TOKEN' : ''} });`,
  ];
}

function matchOf({ kind, text }: Topic): string {
  return kind === 'exact' ? literal(text) : `{ pattern: ${literal(text)} }`;
}

/** JSON is JavaScript as it stands; any other text becomes a string. */
function valueOf(data: string): string {
  try {
    return JSON.stringify(JSON.parse(data));
  } catch {
    return literal(data);
  }
}
