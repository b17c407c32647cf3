import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectFolder } from '../peers/installed.js';
import { type Plot, writePlot } from './svg.js';

/** Writes a plot into `docs/plots`. */
export async function save(file: string, plot: Plot): Promise<void> {
  const folder = join(projectFolder(), 'docs/plots');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, file), writePlot(plot));
}
