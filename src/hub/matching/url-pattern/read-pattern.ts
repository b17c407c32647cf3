import { URLPattern } from 'urlpattern-polyfill/urlpattern';
import { compileComponent } from './compiled-component.js';
import { HubError } from '../../../access/hub.errors.js';
import { isSimpleProtocol, protocolTokens } from './pattern-protocol.js';
import { type PatternToken, tokenizePattern } from './pattern-tokens.js';

export const COMPONENTS = [
  'protocol',
  'hostname',
  'pathname',
  'port',
  'search',
  'hash',
  'username',
  'password',
] as const;

export type Component = (typeof COMPONENTS)[number];

/** The pattern of each component of a URL, as text: encoded, and complete with what comes from the hub's URL. */
export interface PatternTexts extends Readonly<Record<Component, string>> {
  /** Whether the protocol can be one of {@link HIERARCHICAL_SCHEMES}, whose URLs always have a path of segments. */
  readonly isHierarchical: boolean;
}

/** The schemes that the URL Standard calls special (section 4.2). */
const HIERARCHICAL_SCHEMES = ['http', 'https', 'ws', 'wss', 'ftp', 'file'] as const;

/** `URLPattern` can compare the parts of two patterns, but its types don't say so. */
const comparer = URLPattern as unknown as {
  compareComponent(component: Component, left: URLPattern, right: URLPattern): number;
};

/**
 * What `pattern` says about each component of a URL. `URLPattern` reads and encodes it, with the hub's URL as the base
 * of a relative pattern. An absolute one gets no base: the path of `urn\:isbn\:*` would be put below that of the hub.
 *
 * Patterns that `URLPattern` is known to misread are refused: tokens grant access by patterns, so a misread one must
 * not match topics that nobody meant.
 *
 * @throws HubError `matcher-invalid`
 */
export function readPattern(pattern: string, hubUrl: URL): PatternTexts {
  const tokens = tokenizePattern(pattern);
  const protocol = protocolTokens(tokens);
  const isAbsolute = protocol !== undefined;
  if (isAbsolute && !isSimpleProtocol(protocol)) {
    throw invalid('The protocol of a URL pattern is too complex: use a name, a wildcard, or a choice of a few names.');
  }
  const components = construct(() => (isAbsolute ? new URLPattern(pattern) : new URLPattern(pattern, hubUrl.href)));
  if (!isStable(components)) throw notUnderstood();
  if (isAbsolute && invents(HOST_OF_THE_ENCODER, pattern, components)) throw notUnderstood();
  const isHierarchical = canBeHierarchical(components.protocol);
  if (isAbsolute && !isHierarchical && losesPath(tokens)) throw notUnderstood();
  return { ...textsOf(components), isHierarchical };
}

function canBeHierarchical(protocol: string): boolean {
  const component = compileComponent(protocol, '');
  return HIERARCHICAL_SCHEMES.some((scheme) => component.test(scheme));
}

function textsOf(pattern: URLPattern): Record<Component, string> {
  const { protocol, username, password, hostname, port, pathname, search, hash } = pattern;
  return { protocol, username, password, hostname, port, pathname, search, hash };
}

function construct(make: () => URLPattern): URLPattern {
  try {
    return make();
  } catch (cause) {
    throw new HubError('matcher-invalid', 'A URL pattern is malformed.', { cause });
  }
}

/** Whether the components' texts, read again, give the same pattern: not if fixed text is encoded to nothing. */
function isStable(pattern: URLPattern): boolean {
  const again = construct(() => new URLPattern(textsOf(pattern)));
  return COMPONENTS.every((component) => comparer.compareComponent(component, pattern, again) === 0);
}

/** The host that the encoder leaves in place of one that can't be parsed, such as `256.256.256.256`. */
const HOST_OF_THE_ENCODER = 'example.com';

function invents(text: string, pattern: string, components: URLPattern): boolean {
  const read = COMPONENTS.map((component) => components[component]).join('\n');
  return read.split(text).length > pattern.toLowerCase().split(text).length;
}

/**
 * Whether `URLPattern` loses a part of an opaque path. It encodes such a path by putting it after `data:`, where `//x`
 * is a host, a `?` or `#` ends the path, and a space at the end is dropped.
 */
function losesPath(tokens: readonly PatternToken[]): boolean {
  let isInGroup = false;
  let text = '';
  for (const { type, value } of tokens) {
    if (type === 'open' || type === 'close') isInGroup = type === 'open';
    else if (type !== 'char' && type !== 'escaped' && type !== 'invalid') text += '\0';
    else if (value === ' ' || (isInGroup && (value === '?' || value === '#'))) return true;
    else text += value;
  }
  return text.replace(/^[^:]*:(?:\/\/)?/, '').includes('//');
}

function notUnderstood(): HubError {
  return invalid(
    'A URL pattern is ambiguous: write its host and path without empty or dot segments, encoded as in a URL.',
  );
}

function invalid(message: string): HubError {
  return new HubError('matcher-invalid', message);
}
