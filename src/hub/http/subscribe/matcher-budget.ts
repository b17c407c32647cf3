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

  constructor(
    private readonly limitOf: (type: MatcherType) => MatcherLimit,
    private readonly hubUrl: URL,
  ) {}

  /** @throws HubError `matchers-too-many` or `matchers-too-costly` */
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
      );
    }
    this.cost -= costOf(matcher, this.hubUrl);
    if (this.cost >= 0) return;
    throw new HubError(
      'matchers-too-costly',
      'The patterns of this subscription take too long to match: use fewer or simpler groups, or exact topics.',
    );
  }
}

function costOf({ type, pattern }: Matcher, hubUrl: URL): number {
  if (type === 'exact' || pattern === WILDCARD) return 0;
  return type === 'urlpattern' ? compileUrlPattern(pattern, hubUrl).cost : uriTemplateCost(pattern);
}
