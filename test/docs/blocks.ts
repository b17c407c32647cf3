import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a document says to somebody who does as it says: a fenced block, with the mark in the comment before it. */
export interface Block {
  /** File and line. */
  readonly place: string;
  readonly language: string;
  readonly text: string;
  /** Undefined where the block has no mark, or one that nobody understands. */
  readonly mark: Mark | undefined;
}

export interface Mark {
  /** Whether a test does what the block says. Otherwise the mark says why not. */
  readonly isRun: boolean;
  /** Each line is a program of its own: they are alternatives. */
  readonly isEachLine: boolean;
  /** The command does not end: it is ended once it has printed this. */
  readonly until: string | undefined;
  /** What it has to print. */
  readonly prints: string | undefined;
}

/** What has `example` or `run: world` in its mark, is run as a whole program by a suite of its own. */
const MARK =
  /^<!-- (?:(run)( each line)?(?: until "([^"]+)")?(?:, prints "(.+)")?|not run: \S.*|example: \S.*|run: world \S+) -->$/;

/** README.md, docs/*.md, and what the packages say of themselves. */
export const DOCUMENTS: readonly string[] = [
  'README.md',
  ...['docs', 'docs/packages'].flatMap((folder) =>
    readdirSync(ROOT + folder).flatMap((name) => (name.endsWith('.md') ? [`${folder}/${name}`] : [])),
  ),
];

/** The fenced blocks of a document, in order. */
export function blocksOf(document: string): Block[] {
  const lines = readFileSync(ROOT + document, 'utf8').split('\n');
  const blocks: Block[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const [, indent = '', language = ''] = /^( *)```(\w*)$/.exec(lines[index] ?? '') ?? [];
    if (!lines[index]?.startsWith(`${indent}\`\`\``)) continue;
    const end = lines.indexOf(`${indent}\`\`\``, index + 1);
    const text = lines.slice(index + 1, end).map((line) => line.slice(indent.length));
    const mark = markIn(lines.slice(0, index).findLast((line) => line.trim() !== '') ?? '');
    blocks.push({ place: `${document}:${index + 1}`, language, text: text.join('\n'), mark });
    index = end;
  }
  return blocks;
}

function markIn(line: string): Mark | undefined {
  const found = MARK.exec(line.trim());
  if (!found) return undefined;
  const [, run, eachLine, until, prints] = found;
  return { isRun: run !== undefined, isEachLine: eachLine !== undefined, until, prints };
}
