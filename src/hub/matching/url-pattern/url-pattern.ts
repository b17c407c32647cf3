import { LRUCache } from 'lru-cache';
import { type CompiledComponent, compileComponent } from './compiled-component.js';
import { type Component, COMPONENTS, type PatternTexts, readPattern } from './read-pattern.js';
import { parseTopicUrl, type TopicUrl } from './topic-url.js';

/** Compiling takes about 100 µs, and many readers come with the same few patterns. */
const MAX_COMPILED = 500;

const compiled = new LRUCache<string, UrlPattern>({ max: MAX_COMPILED });

/**
 * A URL Pattern relative to the hub's URL, matched in linear time whatever the pattern and the topic (R25–R27):
 * `compileComponent` says which engine matches what. `URLPattern` itself only reads and encodes the pattern here: it
 * matches by backtracking, which takes exponential time for some patterns.
 */
export class UrlPattern {
  /**
   * The text that the `address` of every matching topic starts with, such as `https://example.com/users/`; empty when
   * no such text is known. An index can skip all patterns whose prefix a topic doesn't have.
   */
  readonly literalPrefix: string;
  private readonly checks: readonly (readonly [Component, CompiledComponent])[];

  /** Use `compileUrlPattern`, which keeps what it has compiled. */
  constructor(pattern: string, hubUrl: URL) {
    const components = compileComponents(readPattern(pattern, hubUrl));
    this.literalPrefix = literalPrefixOf(components);
    this.checks = COMPONENTS.map((name) => [name, components[name]] as const).filter(
      ([, { isAnything }]) => !isAnything,
    );
  }

  matches(topic: TopicUrl): boolean {
    for (const [name, component] of this.checks) {
      if (!component.test(topic[name])) return false;
    }
    return true;
  }
}

/**
 * @param pattern at most 4096 bytes of clean text, as `parseMatcher` checks
 * @throws HubError `matcher-invalid` when it's no URL Pattern, or can't be matched in linear time
 */
export function compileUrlPattern(pattern: string, hubUrl: URL): UrlPattern {
  const key = `${hubUrl.href} ${pattern}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const fresh = new UrlPattern(pattern, hubUrl);
  compiled.set(key, fresh);
  return fresh;
}

/** Whether `topic` satisfies `pattern`. For many topics or patterns use a `TopicIndex`, which parses each only once. */
export function matchesUrlPattern(pattern: string, topic: string, hubUrl: URL): boolean {
  const url = parseTopicUrl(topic, hubUrl);
  return url !== undefined && compileUrlPattern(pattern, hubUrl).matches(url);
}

function compileComponents(pattern: PatternTexts): Readonly<Record<Component, CompiledComponent>> {
  return {
    protocol: compileComponent(pattern.protocol, ''),
    username: compileComponent(pattern.username, ''),
    password: compileComponent(pattern.password, ''),
    hostname: compileComponent(pattern.hostname, '.'),
    port: compileComponent(pattern.port, ''),
    pathname: compileComponent(pattern.pathname, pattern.isHierarchical ? '/' : ''),
    search: compileComponent(pattern.search, ''),
    hash: compileComponent(pattern.hash, ''),
  };
}

/** Puts an address together as `parseTopicUrl` does, up to the first part that is not fixed. */
function literalPrefixOf({
  protocol,
  hostname,
  port,
  pathname,
}: Readonly<Record<Component, CompiledComponent>>): string {
  if (!protocol.isLiteral) return protocol.head;
  const origin = `${protocol.head}://${hostname.head}`;
  if (!hostname.isLiteral || !port.isLiteral) return origin;
  return `${origin}${port.head === '' ? '' : `:${port.head}`}${pathname.head}`;
}
