import { isIPv6 } from 'node:net';

/** An IPv4 address written as an IPv6 one (RFC 4291, 2.5.5.2). */
const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;

/** The first half of an IPv6 address, in groups, which names the network. */
const GROUPS = 4;

/**
 * What an address is counted by: an IPv4 address by itself, one of IPv6 by its network of 64 bits, of which a client has
 * all addresses (RFC 4291, 2.5.1).
 */
export function networkOf(address: string): string {
  const [bare = ''] = address.split('%', 1);
  const mapped = MAPPED.exec(bare)?.[1];
  if (mapped !== undefined || !isIPv6(bare)) return mapped ?? address;
  const [head = '', tail] = bare.split('::');
  const groups = groupsOf(head);
  const missing = tail === undefined ? 0 : 8 - groups.length - groupsOf(tail).length;
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...groupsOf(tail ?? '')];
  return `${all
    .slice(0, GROUPS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** An IPv4 address at the end stands for two groups, of which only the number matters here. */
function groupsOf(text: string): string[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}
