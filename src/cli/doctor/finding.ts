/** How something is: right, to be looked at, wrong, or not looked at. */
export type Level = 'ok' | 'warn' | 'fail' | 'skip';

/** What was seen of one thing, and what to change where it is not right. */
export interface Finding {
  readonly what: string;
  readonly level: Level;
  readonly seen: string;
  readonly change?: string | undefined;
}

/** A finding where `change` says what to do, or nothing where there is nothing to do. */
export function finding(what: string, level: Level, seen: string, change?: string): Finding {
  return { what, level, seen, ...(change !== undefined && { change }) };
}

/** A finding in one line, and a second one that says what to change. */
export function lineOf({ what, level, seen, change }: Finding): string {
  const line = `${level.padEnd(5)}${what}: ${seen}\n`;
  return change === undefined ? line : `${line}     → ${change}\n`;
}
