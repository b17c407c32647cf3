import { luaScript } from '../../redis/lua.js';

const LUA = new URL('lua/', import.meta.url);

/** Applies arrivals and departures. */
export const CHANGE = luaScript(LUA, 'leases', 'change');
/** Records a sign of life, and finds leases that are over. */
export const RENEW = luaScript(LUA, 'leases', 'renew');
/** Releases the leases that the process holds. */
export const RELEASE = luaScript(LUA, 'leases', 'release');
/** Removes leases that are over. */
export const FORGET = luaScript(LUA, 'leases', 'forget');
/** Lists leases, all or those that have a matcher. */
export const LIST = luaScript(LUA, 'leases', 'index', 'list');
/** Adds revocations. */
export const REVOKE = luaScript(LUA, 'revoke');
/** Removes revocations that are over. */
export const UNREVOKE = luaScript(LUA, 'unrevoke');
/** Lists revocations that are new to a process. */
export const REVOKED = luaScript(LUA, 'revoked');
/** Stores a process's report, and lists those of all processes. */
export const REPORT = luaScript(LUA, 'report');

export const STATE_SCRIPTS = [CHANGE, RENEW, RELEASE, FORGET, LIST, REVOKE, UNREVOKE, REVOKED, REPORT];
