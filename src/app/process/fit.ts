import type { Config } from '../../config/config.js';
import type { Room } from './descriptors.js';

/** A configuration that the process has the means for, and what its operator should know of the difference. */
export interface Fitted {
  readonly config: Config;
  readonly warnings: readonly string[];
}

/** Fits the numbers of sockets and streams to the limit on open files, also where the operator has asked for more. */
export function fitStreams(config: Config, room: Room | undefined): Fitted {
  if (!room) return { config, warnings: [] };
  const { sockets: maxSockets, streams: most, heldRefusals: maxHeldRefusals } = room;
  const asked = config.streams.maxConnections ?? 0;
  const maxConnections = asked === 0 ? most : Math.min(asked, most);
  const streams = { ...config.streams, maxConnections, maxHeldRefusals };
  const warnings =
    asked > most
      ? [
          `HERALD_MAX_CONNECTIONS asks for ${asked} streams, and the limit on open files has room for ${most}: raise that limit (ulimit -n)`,
        ]
      : [];
  return { config: { ...config, server: { ...config.server, maxSockets }, streams }, warnings };
}
