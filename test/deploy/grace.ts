/** Seconds that the end of a process may take beyond its drain: `OrderlyEnd` ends it by force then. */
const REST = 20;

/** Seconds within which a Herald with these settings has ended, whatever happens. */
export function longestEnd(env: Readonly<Record<string, string>>): number {
  return secondsOf(env['HERALD_DRAIN_DELAY']) + secondsOf(env['HERALD_DRAIN_WINDOW']) + REST;
}

/** A duration such as `40s`, in seconds. */
export function secondsOf(duration: string | undefined): number {
  const [, seconds] = /^(\d+)s$/.exec(duration ?? '') ?? [];
  if (seconds === undefined) throw new Error(`${duration} is not a duration in seconds`);
  return Number(seconds);
}
