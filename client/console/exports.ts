import type { LogMessage } from './message-log.js';

/** One JSON document a line, oldest first, in the form that a batch takes. */
export function toNdjson(messages: readonly LogMessage[], isPrivate: (message: LogMessage) => boolean): string {
  return messages
    .map((message) => {
      const { id, topic, type, text, at } = message;
      const named = { id, topic, type, data: text, private: isPrivate(message) };
      return `${JSON.stringify({ ...named, at: new Date(at).toISOString() })}\n`;
    })
    .join('');
}

/** The message as a frame of an event stream, from what the client library tells of it. */
export function toFrame({ id, type, text }: LogMessage): string {
  const lines = text.split('\n').map((line) => `data: ${line}`);
  return [...(type === 'message' ? [] : [`event: ${type}`]), ...(id === undefined ? [] : [`id: ${id}`]), ...lines].join(
    '\n',
  );
}

/** Indents JSON. Other text is returned as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

/** A curl command that publishes the message again. The token is a shell variable. */
export function toCurl(hubUrl: string, { topic, type, text }: Pick<LogMessage, 'topic' | 'type' | 'text'>): string {
  const fields = [['topic', topic], ...(type === 'message' ? [] : [['type', type]]), ['data', text]] as const;
  const options = fields.map(([name = '', value = '']) => fieldOption(name, value));
  return [`curl -H "Authorization: Bearer $HERALD_TOKEN"`, ...options, quote(hubUrl)].join(' ');
}

/**
 * A field of the form. Where it has control characters they are encoded here: pasted into a terminal, some of them would
 * end the line that is being edited, and what follows them would be run as commands.
 */
function fieldOption(name: string, value: string): string {
  if (/\p{Cc}/u.test(value)) return `-d ${quote(new URLSearchParams([[name, value]]).toString())}`;
  return `--data-urlencode ${quote(`${name}=${value}`)}`;
}

/** A curl command that reads what this page reads. */
export function toSubscribeCurl(hubUrl: string, matchers: readonly (readonly [string, string])[]): string {
  const query = matchers.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return `curl -N -H "Authorization: Bearer $HERALD_TOKEN" ${quote(`${hubUrl}?${query}`)}`;
}

/** Quotes text for a POSIX shell, so that no character in it is special. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
