import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative, sep } from 'node:path';
import { Injectable } from '@nestjs/common';

/** A file for browsers, as it is sent. */
export interface ClientFile {
  readonly type: string;
  readonly text: string;
  /** Its entity tag (RFC 9110, 8.8.3), which is made of the text: what npm unpacks says of no file how old it is. */
  readonly tag: string;
}

/** The kinds of files that there are. One of any other kind is not served. */
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The page and the client library as Vite has built them. Only files that are there at the start are found, by their exact
 * names, so that no name leads anywhere else. Each is read when it is first asked for, and kept.
 */
@Injectable()
export class ClientFiles {
  private readonly paths = builtFiles();
  private readonly files = new Map<string, ClientFile>();

  /** @param name below the folder of all, such as `herald/client.js`. */
  find(name: string): ClientFile | undefined {
    const known = this.files.get(name);
    const path = this.paths.get(name);
    if (known || path === undefined) return known;
    const file = fileOf(extname(name), readFileSync(path, 'utf8'));
    this.files.set(name, file);
    return file;
  }
}

/** @param kind the end of its name, such as `.html`. */
export function fileOf(kind: string, text: string): ClientFile {
  const hash = createHash('sha256').update(text).digest('base64url');
  return { type: TYPES[kind] ?? 'text/plain; charset=utf-8', text, tag: `"${hash}"` };
}

/** The paths of the files by their names; none where nothing has been built, as while Vite serves the page itself. */
function builtFiles(): ReadonlyMap<string, string> {
  const folder = builtFolder();
  if (folder === undefined) return new Map();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const served = entries.filter(
    (entry) => entry.isFile() && !entry.name.startsWith('.') && extname(entry.name) in TYPES,
  );
  const paths = served.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [relative(folder, path).replaceAll(sep, '/'), path]));
}

/** Each package has them at another place, which its manifest names. */
function builtFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('#client/index.html'));
  } catch {
    return undefined;
  }
}
