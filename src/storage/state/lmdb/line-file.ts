import { constants } from 'node:fs';
import type { z } from 'zod';
import { openPlain } from '../../journal/lmdb/disk/private-files.js';

/** The lines of a file that are JSON by the schema; none where there is no file. Other lines are left out. */
export async function readLines<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>[]> {
  const file = await openPlain(path, constants.O_RDONLY).catch(nothingIfMissing);
  try {
    const text = (await file?.readFile('utf8')) ?? '';
    return text.split('\n').flatMap((line) => {
      const parsed = schema.safeParse(parse(line));
      return parsed.success ? [parsed.data] : [];
    });
  } finally {
    await file?.close();
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

function nothingIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
