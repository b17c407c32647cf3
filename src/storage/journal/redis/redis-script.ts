import { luaScript } from '../../redis/lua.js';

const LUA = new URL('lua/', import.meta.url);

/** Appends a batch. */
export const APPEND = luaScript(LUA, 'log', 'append');
/** Finds the place of an id. */
export const LOCATE = luaScript(LUA, 'log', 'locate');
/** Tells which batches the newest entry, and the one at a position, came with. */
export const LOOK = luaScript(LUA, 'log', 'look');

export const LOG_SCRIPTS = [APPEND, LOCATE, LOOK];
