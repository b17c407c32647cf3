import { HubError } from '../../../access/hub.errors.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import { type Matcher, type MatcherType, WILDCARD } from '../../matching/matcher.js';
import { uriTemplateCost } from '../../matching/uri-template.js';
import { compileUrlPattern } from '../../matching/url-pattern/url-pattern.js';
import type { MatcherLimit } from '../../protocol/dialect.js';

/** What is left of a limit. */
interface Rest {
  count: number;
  bytes: number;
}

/** What the matchers of one subscription may take together (R15). */
export class MatcherBudget {
  private readonly rests = new Map<MatcherLimit, Rest>();
  private cost: number = HUB_LIMITS.patternCost;
  /** The patterns that have been compiled to find out what they cost. */
  readonly compiled: object[] = [];

  constructor(
    private readonly limitOf: (type: MatcherType) => MatcherLimit,
    private readonly hubUrl: URL,
  ) {}

  /** @throws HubError `matchers-too-many`, `matchers-too-costly`, or `matcher-invalid` for a pattern that is none */
  spend(matcher: Matcher): void {
    const limit = this.limitOf(matcher.type);
    const rest = this.rests.get(limit) ?? { ...limit };
    this.rests.set(limit, rest);
    rest.count -= 1;
    rest.bytes -= Buffer.byteLength(matcher.pattern);
    if (rest.count < 0 || rest.bytes < 0) {
      throw new HubError(
        'matchers-too-many',
        `A subscription may have at most ${limit.count} matchers of this kind, of ${limit.bytes} bytes together.`,
        { limit: { count: limit.count, bytes: limit.bytes } },
      );
    }
    this.cost -= this.costOf(matcher);
    if (this.cost >= 0) return;
    throw new HubError(
      'matchers-too-costly',
      'The patterns of this subscription take too long to match: use fewer or simpler groups, or exact topics.',
    );
  }

  private costOf({ type, pattern }: Matcher): number {
    if (type === 'exact' || pattern === WILDCARD) return 0;
    if (type === 'uritemplate') return uriTemplateCost(pattern);
    const compiled = compileUrlPattern(pattern, this.hubUrl);
    this.compiled.push(compiled);
    return compiled.cost;
  }
}
