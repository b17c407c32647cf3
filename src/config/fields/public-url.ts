import { z } from 'zod';
import { HUB_PATH } from '../../shared/hub-path.js';

/** The first parts of the service's own paths: below a base path of that name nobody could tell the two apart. */
const OWN = ['.well-known', 'admin', 'assets', 'developer', 'events', 'health', 'herald'];

/** The path of another site below which the service is found. */
export function basePath() {
  return z
    .string()
    .refine(
      (text) => /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+){1,8}$/.test(text) && !OWN.includes(text.split('/')[1] ?? ''),
      `must be a path such as /realtime, without a slash at its end, that does not begin with one of the service's own (${OWN.join(', ')})`,
    );
}

/** The public URL of the hub. */
export function hubUrl() {
  return z.string().refine(isHubUrl, `must be the public URL of the hub, such as https://example.com${HUB_PATH}`);
}

/** The path in the hub's URL must be the one that the service says of itself. */
export function baseMistakes({ HERALD_RESOURCE, HERALD_BASE_PATH = '' }: Readonly<Record<string, string>>): string[] {
  if (!HERALD_RESOURCE || !isHubUrl(HERALD_RESOURCE)) return [];
  if (new URL(HERALD_RESOURCE).pathname === HERALD_BASE_PATH + HUB_PATH) return [];
  return [`HERALD_RESOURCE must be a URL whose path is HERALD_BASE_PATH, where that is set, and then ${HUB_PATH}`];
}

function isHubUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash) return false;
  return url.pathname.endsWith(HUB_PATH);
}
