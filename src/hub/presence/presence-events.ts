import { z } from 'zod';
import { newRecordId, type PresenceRecord } from '../../storage/journal/presence-record.js';
import type { Update } from '../../storage/journal/update.js';
import type { MatcherType } from '../matching/matcher.js';
import type { ActiveSubscription, Dialect } from '../protocol/dialect.js';
import type { ShownMatcher } from './lease-details.js';

export interface PresenceEventsOptions {
  readonly hubUrl: URL;
  /** The dialects in which this process tells of subscriptions: the first ones of `known`. */
  readonly dialects: readonly Dialect[];
  /** The dialects in which any process may have told of them, in their order. Default: the same. */
  readonly known?: readonly Dialect[];
}

/** Whose coming or going it is, and what they are subscribed to. */
export interface PresenceNews {
  readonly subscriber: string;
  readonly isActive: boolean;
  readonly matchers: readonly ShownMatcher[];
}

const TYPES = ['exact', 'urlpattern', 'uritemplate'] as const satisfies readonly MatcherType[];

/**
 * The content of a record, as JSON: the subscriber; whether it has come; in how many dialects its events were counted,
 * because processes of one hub may serve different ones; each payload once, because the matchers of a stream mostly have
 * the same; and the matchers, each with the index of its payload.
 */
const contentSchema = z.tuple([
  z.string(),
  z.boolean(),
  z.int().min(1),
  z.array(z.custom<object>((value) => typeof value === 'object' && value !== null)),
  z.array(z.tuple([z.enum(TYPES), z.string(), z.int().min(0).optional()])),
]);

/** Makes records of comings and goings, and the events of records: one for each matcher in each dialect (R72–R76). */
export class PresenceEvents {
  constructor(private readonly options: PresenceEventsOptions) {}

  /** The record of a coming or going; undefined where no dialect can tell of any of the matchers. */
  recordOf({ subscriber, isActive, matchers }: PresenceNews): PresenceRecord | undefined {
    const { dialects } = this.options;
    const payloads: object[] = [];
    const listed = matchers.map(({ matcher: { type, pattern }, payload }): [MatcherType, string, number?] => {
      if (!payload) return [type, pattern];
      const known = payloads.indexOf(payload);
      return [type, pattern, known === -1 ? payloads.push(payload) - 1 : known];
    });
    const events = matchers.reduce((sum, { matcher }) => sum + tellersOf(matcher.type, dialects).length, 0);
    if (events === 0) return undefined;
    const content: z.input<typeof contentSchema> = [subscriber, isActive, dialects.length, payloads, listed];
    return { id: newRecordId(), events, content: JSON.stringify(content) };
  }

  /**
   * The events of a record, in order; none where its content is not understood.
   * @param idAt gives the id of the event with this index. It is asked only where somebody gets the event.
   */
  *eventsOf(record: PresenceRecord, idAt: (index: number) => string): Iterable<Update> {
    const content = contentOf(record);
    if (!content) return;
    const [subscriber, isActive, count, payloads, matchers] = content;
    const dialects = (this.options.known ?? this.options.dialects).slice(0, count);
    let index = 0;
    for (const [type, pattern, payload = -1] of matchers) {
      const subscription = { matcher: { type, pattern }, subscriber, isActive, payload: payloads[payload] };
      for (const dialect of tellersOf(type, dialects)) {
        const at = index;
        yield this.eventOf(subscription, dialect, () => idAt(at));
        index += 1;
      }
    }
  }

  private eventOf(subscription: ActiveSubscription, { subscriptions }: Dialect, idOf: () => string): Update {
    const { pathname } = this.options.hubUrl;
    const { eventType: type } = subscriptions;
    return {
      topics: [subscriptions.topicOf(pathname, subscription)],
      private: true,
      ...(type !== undefined && { type }),
      // Made when somebody wants them, because most events are looked at for their topic alone.
      get id() {
        return idOf();
      },
      get data() {
        return JSON.stringify(subscriptions.documentOf(pathname, subscription));
      },
    };
  }
}

/** The dialects that can tell of subscriptions with matchers of this type. */
function tellersOf(type: MatcherType, dialects: readonly Dialect[]): readonly Dialect[] {
  return dialects.filter(({ subscriptions }) => subscriptions.covers(type));
}

function contentOf({ content }: PresenceRecord): z.output<typeof contentSchema> | undefined {
  try {
    return contentSchema.safeParse(JSON.parse(content)).data;
  } catch {
    return undefined;
  }
}
