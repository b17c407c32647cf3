import { isIP } from 'node:net';
import { z } from 'zod';
import { parseDuration, parseSize } from '../../shared/units.js';

/*
 * Each function is the schema of one kind of value: it turns text of the environment into a typed value. Its messages
 * say what would be right, and never repeat the value, which may be a secret put into the wrong variable.
 */

/** Node's timers overflow above this many milliseconds, and then fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

export interface DurationLimits {
  /** Milliseconds. */
  readonly min: number;
  /** Whether `0` is allowed, and switches the feature off. */
  readonly zero?: boolean;
}

/** A duration in milliseconds. */
export function duration({ min, zero = false }: DurationLimits) {
  return z.string().transform((text, context) => {
    const value = parseDuration(text);
    if (value !== undefined && value <= LONGEST_TIMER && (value >= min || (zero && value === 0))) return value;
    const off = zero ? ', or 0 to switch it off' : '';
    context.addIssue(`must be a duration such as 500ms, 20s or 10m, between ${min}ms and 24d${off}`);
    return z.NEVER;
  });
}

/** A time in milliseconds that no timer waits for, and so may be of any length. */
export function span({ min, zero = false }: DurationLimits) {
  return z.string().transform((text, context) => {
    const value = parseDuration(text);
    const isLong = value !== undefined && value >= min && Number.isSafeInteger(value);
    if (isLong || (zero && value === 0)) return value;
    const off = zero ? ', or 0 to switch it off' : '';
    context.addIssue(`must be a time such as 20s, 12h or 90d, and at least ${min / 1_000}s${off}`);
    return z.NEVER;
  });
}

/** A size in bytes. */
export function size({ min, max = Number.MAX_SAFE_INTEGER }: { readonly min: number; readonly max?: number }) {
  return z.string().transform((text, context) => {
    const value = parseSize(text);
    if (value !== undefined && value >= min && value <= max && Number.isSafeInteger(value)) return value;
    const most = max < Number.MAX_SAFE_INTEGER ? ` and at most ${max}` : '';
    context.addIssue(`must be a size such as 512kb, 64mb or 1gb, and at least ${min}${most} bytes`);
    return z.NEVER;
  });
}

/** A whole number. */
export function count({ min }: { readonly min: number }) {
  return z
    .string()
    .regex(/^\d{1,15}$/, `must be a whole number, at least ${min}`)
    .transform(Number)
    .refine((value) => value >= min, `must be a whole number, at least ${min}`);
}

export function flag() {
  return z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true');
}

export function onOrOff() {
  return z.enum(['on', 'off'], 'must be on or off').transform((text) => text === 'on');
}

/** The name of a cookie (RFC 6265, 4.1.1). */
export function cookieName() {
  return z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, 'must be a cookie name: letters, digits, - and _');
}

/** The URL of another program's route, without a user or a fragment. */
export function applicationUrl() {
  return z.string().refine((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    return url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.hash;
  }, 'must be an http or https URL without a user, such as http://127.0.0.1:3000/herald/authorize');
}

/** Where updates are kept: `memory:`, a directory, or the URL of a Redis. */
export function journal() {
  return z
    .string()
    .refine(
      (text) => text === 'memory:' || /^lmdb:[^\0]+$/.test(text) || isRedisUrl(text),
      'must be memory:, lmdb:PATH (a directory), or the URL of a Redis such as redis://user:password@host:6379/0 (rediss: with TLS)',
    );
}

function isRedisUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^rediss?:$/.test(url.protocol) || !url.hostname || url.search || url.hash) return false;
  return /^(\/\d{0,4})?$/.test(url.pathname) && isPercentEncoded(url.username) && isPercentEncoded(url.password);
}

function isPercentEncoded(text: string): boolean {
  try {
    return typeof decodeURIComponent(text) === 'string';
  } catch {
    return false;
  }
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Addresses as `host:port`, separated by commas. */
export function addresses() {
  return z.string().transform((text, context): Address[] => {
    const list = splitList(text).map((one) => readAddress(one));
    if (list.length > 0 && list.every((address) => address !== undefined)) return list;
    context.addIssue('must be addresses separated by commas, such as sentinel-1:26379,sentinel-2:26379');
    return z.NEVER;
  });
}

/** Where to listen, as `host:port`; the port 0 lets the system choose one. */
export function listenAddress() {
  return z.string().transform((text, context): Address => {
    const address = readAddress(text, 0);
    if (address) return address;
    context.addIssue('must be a host and a port, such as 127.0.0.1:9090 or [::1]:9090');
    return z.NEVER;
  });
}

function readAddress(text: string, least = 1): Address | undefined {
  const [, host = '', digits = ''] = /^(\[[0-9a-f:]+\]|[\w.-]+):(\d{1,5})$/i.exec(text) ?? [];
  const number = Number(digits);
  return host !== '' && number >= least && number <= 65_535
    ? { host: host.replaceAll(/[[\]]/g, ''), port: number }
    : undefined;
}

/** A short name of characters that are safe in a Redis key. */
export function simpleName() {
  return z.string().regex(/^[\w.-]{1,100}$/, 'must be 1 to 100 letters, digits, dots, hyphens or underscores');
}

/** A TCP port; 0 lets the system choose one. */
export function port() {
  return z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number between 0 and 65535')
    .transform(Number)
    .refine((value) => value <= 65_535, 'must be a port number between 0 and 65535');
}

/** Which proxies' `X-Forwarded-*` headers count: none, all, so many hops, or these addresses and networks. */
export type TrustProxy = boolean | number | string[];

export function trustProxy() {
  return z.string().transform((text, context): TrustProxy => {
    if (text === 'true' || text === 'false') return text === 'true';
    if (/^\d{1,2}$/.test(text)) return Number(text);
    const list = splitList(text);
    if (list.length > 0 && list.every(isAddressOrNetwork)) return list;
    context.addIssue(
      'must be true, false, a number of hops, or addresses and networks separated by commas, such as 10.0.0.0/8',
    );
    return z.NEVER;
  });
}

export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function isAddressOrNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}
