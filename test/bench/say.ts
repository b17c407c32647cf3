/** Tells whoever waits how far the benchmark is; the report goes to stdout. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
