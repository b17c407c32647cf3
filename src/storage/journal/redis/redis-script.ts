import { luaScript } from '../../redis/lua.js';

const LUA = new URL('lua/', import.meta.url);

/** Appends a batch of updates and presence records. */
export const APPEND = luaScript(LUA, 'log', 'append');
/** Finds the place of an id. */
export const LOCATE = luaScript(LUA, 'log', 'locate');
/** Looks up the newest entry up to a position. */
export const LOOK = luaScript(LUA, 'log', 'look');
/** Removes updates. */
export const REMOVE = luaScript(LUA, 'log', 'remove');
/** Counts the followers that have not told of a removal yet. */
export const UNTOLD = luaScript(LUA, 'log', 'untold');
/** Reads a part of the log. */
export const READ = luaScript(LUA, 'log', 'rows', 'read');
/** Reads the rows of updates at positions. */
export const READ_AT = luaScript(LUA, 'log', 'rows', 'read-at');

export const LOG_SCRIPTS = [APPEND, LOCATE, LOOK, READ, READ_AT, REMOVE, UNTOLD];
