import { readFileSync } from 'node:fs';

const GUIDE = new URL('../../../docs/clients.md', import.meta.url);

/** The program that the guide shows for a client, as it stands there: the block of code after `<!-- run: world NAME -->`. */
export function programInGuide(name: string): string {
  const marked = new RegExp(`^<!-- run: world ${name} -->\n+\`\`\`\\w+\n([^]*?)^\`\`\`$`, 'm');
  const program = marked.exec(readFileSync(GUIDE, 'utf8'))?.[1];
  if (program === undefined) throw new Error(`docs/clients.md has no program marked "run: world ${name}"`);
  return program;
}

/** The versions that the guide's table names for a client, whose row begins with `client`. */
export function versionInGuide(client: string): string | undefined {
  const row = readFileSync(GUIDE, 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`| ${client}`));
  return row?.split('|')[2]?.trim();
}
