import { readFile } from 'node:fs/promises';

/** The code under the mark `<!-- example: NAME -->` of a document. */
export async function exampleIn(document: string, name: string): Promise<string> {
  const text = await readFile(new URL(`../../docs/${document}`, import.meta.url), 'utf8');
  const mark = `<!-- example: ${name} -->`;
  const code = text.includes(mark) ? /^```\w+\n(.*?)^```$/ms.exec(text.slice(text.indexOf(mark)))?.[1] : undefined;
  if (code === undefined) throw new Error(`${document} has no example "${name}"`);
  return code;
}
