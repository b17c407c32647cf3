/** Milliseconds for which lines of the same kind are only counted after one was written. */
export const QUIET = 60_000;

/** Kinds that are remembered. With one more, the oldest is forgotten. */
const MOST_KINDS = 100;

/** What a line of the log says. */
export interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A kind of line that was written less than a minute ago. */
interface Kind {
  readonly timer: NodeJS.Timeout;
  /** The newest line that was not written. */
  newest: LogLine | undefined;
  /** How many were not written. */
  count: number;
}

/**
 * Writes lines that somebody else may cause any number of times: the first one of a kind at once, and then at most one a
 * minute, which is the newest and says in `repeated` for how many it stands.
 */
export class RepeatedLines {
  private readonly kinds = new Map<string, Kind>();

  constructor(private readonly write: (line: LogLine) => void) {}

  /** @param kind what makes two lines the same. Default: their messages. */
  log(line: LogLine, kind: string = line.msg): void {
    const known = this.kinds.get(kind);
    if (known) {
      known.newest = line;
      known.count += 1;
      return;
    }
    this.write(line);
    const timer = setTimeout(() => this.endOfMinute(kind), QUIET).unref();
    this.kinds.set(kind, { timer, newest: undefined, count: 0 });
    if (this.kinds.size > MOST_KINDS) this.forgetOldest();
  }

  private endOfMinute(name: string): void {
    const kind = this.kinds.get(name);
    if (!kind?.newest) {
      this.kinds.delete(name);
      return;
    }
    this.write({ ...kind.newest, repeated: kind.count });
    kind.newest = undefined;
    kind.count = 0;
    kind.timer.refresh();
  }

  private forgetOldest(): void {
    const [oldest] = this.kinds;
    if (!oldest) return;
    clearTimeout(oldest[1].timer);
    this.kinds.delete(oldest[0]);
  }
}
