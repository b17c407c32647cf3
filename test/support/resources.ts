import { once } from 'node:events';
import { send, textOf } from './event-stream.js';
import type { Herald } from './herald.js';

export type Resources = Readonly<Record<string, number>>;

/** What the process holds open, by kind. It must have been started with the resource probe. */
export async function resourcesOf(herald: Herald): Promise<Resources> {
  herald.child.send('report');
  const [names] = (await once(herald.child, 'message')) as [string[]];
  const counts: Record<string, number> = {};
  for (const name of names) {
    // A file being read is under way, not held: the process may still load a module when it is first looked at.
    if (name !== 'FSReqCallback') counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** The process's resources once no connection is open, and they are the same twice in a row. */
export async function settledResources(herald: Herald): Promise<Resources> {
  let last = '';
  for (let looks = 0; looks < 1_000; looks += 1) {
    const resources = await resourcesOf(herald);
    if ((resources['TCPSocketWrap'] ?? 0) === 0 && JSON.stringify(resources) === last) return resources;
    last = JSON.stringify(resources);
    // Gives the service a turn between two looks.
    await textOf(await send(`${herald.url}/health/live`));
  }
  throw new Error(`the process does not come to rest: ${last}`);
}
