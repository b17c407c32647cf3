import type { FastifyInstance } from 'fastify';

/** A path as a route has it: parts that begin with `:` stand for any one part. */
interface KnownPath {
  readonly parts: readonly string[];
  readonly methods: Set<string>;
}

const DECORATOR = 'knownPaths';

/** Remembers which methods there are for which paths, because the router tells only whether it has a route. */
export function knowPaths(fastify: FastifyInstance): void {
  const paths = new Map<string, KnownPath>();
  fastify.decorate(DECORATOR, paths);
  fastify.addHook('onRoute', ({ url, method }) => {
    // What stands for any path, or is an expression, says of none that it exists.
    if (/[*(]/.test(url)) return;
    const known = paths.get(url) ?? { parts: url.split('/'), methods: new Set() };
    paths.set(url, known);
    for (const one of [method].flat()) known.methods.add(one);
  });
}

/** The methods for which a path exists, in alphabetical order; none for a path that is unknown. */
export function methodsOf(fastify: FastifyInstance, path: string): string[] {
  const parts = path.split('/');
  const known = [...fastify.getDecorator<ReadonlyMap<string, KnownPath>>(DECORATOR).values()];
  const methods = known.filter((candidate) => covers(candidate, parts)).flatMap((one) => Array.from(one.methods));
  return [...new Set(methods)].toSorted();
}

function covers({ parts }: KnownPath, given: readonly string[]): boolean {
  if (parts.length !== given.length) return false;
  return parts.every((part, index) => (part.startsWith(':') ? given[index] !== '' : part === given[index]));
}
