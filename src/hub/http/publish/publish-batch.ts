import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import type { UpdateDraft } from '../../update/check-update.js';
import { HubError } from '../../../access/hub.errors.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';

/** One line of a batch: a draft that is yet to be checked, or why there is none. */
export type BatchLine =
  { readonly ok: UpdateDraft; readonly error?: undefined } | { readonly error: HubError; readonly ok?: undefined };

const LF = 0x0a;
const CR = 0x0d;

const LINE = z.object({
  topic: z.string().optional(),
  topics: z.array(z.string()).optional(),
  data: z.unknown().optional(),
  id: z.string().optional(),
  type: z.string().optional(),
  retry: z.number().optional(),
  private: z.boolean().optional(),
});

/**
 * The updates of an NDJSON body, one a line, each read when it's asked for. Empty lines don't count. A line is an object
 * with `topic`, `topics` or both (`topic` is then the canonical one), and `data`, `id`, `type`, `retry` (milliseconds)
 * and `private` (a boolean) as it needs them; unknown fields are ignored. Data that is no string is published as its
 * JSON text. A line that can't be read is an error of its own, and the others are read all the same.
 *
 * @throws HubError `batch-lines-too-many`, before any line is read
 */
export function parseBatch(body: Uint8Array): Generator<BatchLine, void, undefined> {
  let count = 0;
  for (const _ of linesOf(body)) {
    count += 1;
    if (count > HUB_LIMITS.batchLines) {
      throw new HubError('batch-lines-too-many', `A batch may have at most ${HUB_LIMITS.batchLines} lines.`);
    }
  }
  return readLines(body);
}

function* readLines(body: Uint8Array): Generator<BatchLine, void, undefined> {
  for (const line of linesOf(body)) yield readLine(line);
}

function* linesOf(body: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let start = 0; start < body.length;) {
    const index = body.indexOf(LF, start);
    const next = index === -1 ? body.length : index;
    const end = next > start && body[next - 1] === CR ? next - 1 : next;
    if (end > start) yield body.subarray(start, end);
    start = next + 1;
  }
}

function readLine(line: Uint8Array): BatchLine {
  if (!isUtf8(line)) return refuse('The line is not valid UTF-8.');
  try {
    const parsed = LINE.safeParse(JSON.parse(new TextDecoder().decode(line)));
    return parsed.success ? { ok: draftOf(parsed.data) } : refuse(explain(parsed.error));
  } catch (cause) {
    return refuse('The line is not valid JSON, or nests too deeply.', cause);
  }
}

function draftOf({ topic, topics = [], data, id, type, retry, private: isPrivate }: z.infer<typeof LINE>): UpdateDraft {
  return {
    topics: topic === undefined ? topics : [topic, ...topics],
    private: isPrivate ?? false,
    ...(data !== undefined && { data: typeof data === 'string' ? data : JSON.stringify(data) }),
    ...(id !== undefined && { id }),
    ...(type !== undefined && { type }),
    ...(retry !== undefined && { retry }),
  };
}

/** Says what is wrong with a line. Only the schema's own fields are named: it reports nothing about unknown ones. */
function explain(error: z.ZodError): string {
  const issue = error.issues[0];
  const field = issue?.path[0];
  if (issue?.code !== 'invalid_type') return 'The line does not have the form of an update.';
  return field === undefined
    ? 'The line must be a JSON object.'
    : `The field "${String(field)}" must be of type ${issue.path.length > 1 ? 'array of strings' : issue.expected}.`;
}

function refuse(message: string, cause?: unknown): BatchLine {
  return { error: new HubError('batch-line-invalid', message, { cause }) };
}
