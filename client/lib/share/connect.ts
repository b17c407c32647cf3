import type { Source, SourceListener, Start } from '../wire.js';

/** Opens this tab's own streams. */
export type Connect = (listener: SourceListener, starts?: ReadonlyMap<string, Start>) => Source;
