import { CompiledPatterns } from '../compiled-patterns.js';
import { type CompiledComponent, compileComponent } from './compiled-component.js';
import { originOf, type Route } from './path-trie.js';
import { type Component, COMPONENTS, type PatternTexts, readPattern } from './read-pattern.js';
import { parseTopicUrl, type TopicUrl } from './topic-url.js';

/** What a compiled pattern was measured to take at most. Bytes: of itself, for a character, and what RE2 needs. */
const SIZE = { itself: 4_096, character: 200, re2: 34 * 1024, cost: 250 };

/** Compiling takes between 0.1 and 6 ms, and many readers come with the same few patterns. */
const compiled = new CompiledPatterns<UrlPattern>();

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
  /** What matching costs: instructions of RE2's programs, all together. */
  readonly cost: number;
  /** About how many bytes it takes. */
  readonly bytes: number;
  /** The pattern as an origin and a path, where it is no more than that. */
  readonly route: Route | undefined;
  private readonly checks: readonly (readonly [Component, CompiledComponent])[];

  /** Use `compileUrlPattern`, which keeps what it has compiled. */
  constructor(pattern: string, hubUrl: URL) {
    const components = compileComponents(readPattern(pattern, hubUrl));
    this.literalPrefix = literalPrefixOf(components);
    this.route = routeOf(components);
    const costs = COMPONENTS.map((name) => components[name].cost).filter((cost) => cost > 0);
    this.cost = costs.reduce((sum, cost) => sum + cost, 0);
    this.bytes = SIZE.itself + SIZE.character * pattern.length + SIZE.re2 * costs.length + SIZE.cost * this.cost;
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
  return compiled.of(`${hubUrl.href} ${pattern}`, () => new UrlPattern(pattern, hubUrl));
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

function routeOf(components: Readonly<Record<Component, CompiledComponent>>): Route | undefined {
  const { protocol, hostname, port, pathname, username, password, search, hash } = components;
  const isOrigin = protocol.isLiteral && hostname.isLiteral && port.isLiteral;
  const isAll = [username, password, search, hash].every(({ isAnything }) => isAnything);
  if (!isOrigin || !isAll || !pathname.path) return undefined;
  const origin = originOf({ protocol: protocol.head, hostname: hostname.head, port: port.head });
  return { origin, ...pathname.path };
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
