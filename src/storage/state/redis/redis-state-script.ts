import { luaScript, luaScriptWhileFull } from '../../redis/lua.js';

const LUA = new URL('lua/', import.meta.url);

/** Applies arrivals and departures. */
export const CHANGE = luaScript(LUA, 'leases', 'change');
/** Records a sign of life, and finds leases that are over. */
export const RENEW = luaScriptWhileFull(LUA, 'leases', 'renew');
/** Releases the leases that the process holds. */
export const RELEASE = luaScriptWhileFull(LUA, 'leases', 'release');
/** Removes leases that are over. */
export const FORGET = luaScriptWhileFull(LUA, 'leases', 'forget');
/** Lists leases, all or those that have a matcher. */
export const LIST = luaScriptWhileFull(LUA, 'leases', 'index', 'list');
/** Adds revocations. */
export const REVOKE = luaScriptWhileFull(LUA, 'revoke');
/** Removes revocations that are over. */
export const UNREVOKE = luaScriptWhileFull(LUA, 'unrevoke');
/** Lists revocations that are new to a process. */
export const REVOKED = luaScriptWhileFull(LUA, 'revoked');
/** Stores a process's report, and lists those of all processes. */
export const REPORT = luaScriptWhileFull(LUA, 'report');

export const STATE_SCRIPTS = [CHANGE, RENEW, RELEASE, FORGET, LIST, REVOKE, UNREVOKE, REVOKED, REPORT];
