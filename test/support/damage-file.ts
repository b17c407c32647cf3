import { open, readFile } from 'node:fs/promises';

/**
 * Changes a byte of a file wherever it has `text`, as a failing disk does, or another program.
 * @param offset of the byte, from the beginning of the text.
 */
export async function damageFile(file: string, text: string, offset = 0): Promise<void> {
  const bytes = await readFile(file);
  const handle = await open(file, 'r+');
  try {
    let count = 0;
    for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) {
      count += 1;
      await handle.write(Buffer.of((bytes[at + offset] ?? 0) ^ 0xff), 0, 1, at + offset);
    }
    if (count === 0) throw new Error(`${file} has no ${text}`);
  } finally {
    await handle.close();
  }
}
