/** So much is kept that retention takes nothing away while a scenario runs. */
export const KEEPS_ALL = { HERALD_RETAIN_EVENTS: '100000000', HERALD_RETAIN_BYTES: '100gb', HERALD_RETAIN_AGE: '24h' };
