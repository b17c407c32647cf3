import { betterSse } from './better-sse.js';
import { herald } from './herald.js';
import { nchan } from './nchan.js';
import { nest } from './nest.js';
import type { Peer } from './peer.js';

/** Every server that can be measured; Herald first, since the ratios are its own to each of the others. */
export const ALL_PEERS: readonly Peer[] = [herald, nest, betterSse, nchan];
