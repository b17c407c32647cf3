import { luaScript, luaScriptWhileFull } from '../../redis/lua.js';
import { PROBE } from '../../redis/redis-writes.js';

const LUA = new URL('lua/', import.meta.url);

/** Appends a batch of updates and presence records. */
export const APPEND = luaScript(LUA, 'log', 'append');
/** Finds the place of an id. */
export const LOCATE = luaScriptWhileFull(LUA, 'log', 'locate');
/** Looks up the newest entry up to a position. */
export const LOOK = luaScriptWhileFull(LUA, 'log', 'look');
/** Removes updates. */
export const REMOVE = luaScriptWhileFull(LUA, 'log', 'remove');
/** Counts the followers that have not told of a removal yet. */
export const UNTOLD = luaScriptWhileFull(LUA, 'log', 'untold');
/** Reads a part of the log. */
export const READ = luaScriptWhileFull(LUA, 'log', 'rows', 'read');
/** Reads the rows of updates at positions. */
export const READ_AT = luaScriptWhileFull(LUA, 'log', 'rows', 'read-at');

export const LOG_SCRIPTS = [APPEND, LOCATE, LOOK, READ, READ_AT, REMOVE, UNTOLD, PROBE];
