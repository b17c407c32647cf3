import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../peers/installed.js';

/** Runs with a folder for journals, and removes it. It is in the project: the system's folder for temporary files may lie in memory. */
export async function inJournalFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const parent = join(projectFolder(), 'bench-results');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'journal-'));
  try {
    return await act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
