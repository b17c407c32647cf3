import process from 'node:process';
import { Inject, Injectable } from '@nestjs/common';
import type { HubCounts } from '../../hub/service/hub.service.js';
import { OUTCOMES } from '../../hub/service/publications.js';
import { VERSION } from '../../shared/version.js';
import { STREAM_ENDS, type StreamEnd } from '../../streams/registry/stream-end.js';
import { HUB_PARTS, type HubParts } from '../module/hub-parts.js';
import type { Exposition } from './exposition.js';
import { allOf, counter, type Family, gauge, histogram, labelled } from './family.js';

/** The injection token of the {@link Exposition}. */
export const EXPOSITION = Symbol('exposition');

const ENDS = Object.keys(STREAM_ENDS) as StreamEnd[];
const REFUSED = ['overloaded', 'unavailable'] as const;
const STATES = ['new', 'behind', 'live'] as const;
const GAPS = ['not-held', 'trimmed', 'damaged', 'presence'] as const;

/**
 * What the hub has done and holds. Nothing is counted here: the parts of the hub count for themselves, in plain numbers, and
 * a scrape reads them. No label ever has a topic, a subject or an address.
 */
@Injectable()
export class HubMetrics {
  /** @internal Nest calls it. */
  constructor(
    @Inject(HUB_PARTS) private readonly parts: HubParts,
    @Inject(EXPOSITION) private readonly exposition: Exposition,
  ) {}

  /**
   * All of them as a scraper reads them: in the text format of Prometheus, which other metrics may follow, or as OpenMetrics
   * where that is accepted.
   * @param accept the header of this name of the request.
   */
  text(accept?: string): Promise<string> {
    return this.exposition.write(this.families(), this.exposition.formatFor(accept));
  }

  /** The type of what {@link text} gives for the same header. */
  contentType(accept?: string): string {
    return this.exposition.formatFor(accept);
  }

  private families(): Family[] {
    const { counts } = this.parts.hub;
    return [
      build(counts),
      ...this.ofStreams(),
      ...ofPublishing(counts),
      ...ofDelivery(counts),
      ...ofJournal(counts),
      ...this.ofLimits(counts),
      ofTraces(counts),
    ];
  }

  private ofStreams(): Family[] {
    const { streams } = this.parts;
    const ended = {
      name: 'herald_streams_ended_total',
      help: 'Streams that have ended, by reason.',
      type: 'counter',
    } as const;
    const refused = {
      name: 'herald_streams_refused_total',
      help: 'Streams that were refused, by what their clients were told.',
      type: 'counter',
    } as const;
    return [
      gauge('herald_streams_open', "Streams that are open: subscribers' and those of @Sse() handlers.", streams.size),
      gauge('herald_streams_limit', 'Streams that may be open; 0 is no limit.', streams.limit),
      gauge('herald_streams_refused_held', 'Refused streams that have not closed yet.', streams.refusedCount),
      counter('herald_streams_opened_total', 'Streams that were opened.', streams.tally.opened),
      labelled(ended, 'reason', allOf(ENDS, streams.tally.ended)),
      labelled(refused, 'reason', allOf(REFUSED, streams.tally.refused)),
    ];
  }

  private ofLimits({ recent }: HubCounts): Family[] {
    const { streams, options } = this.parts;
    const { pressure, outstanding } = streams;
    const shedding = {
      name: 'herald_shedding',
      help: '1 while new streams, or publications, are refused because there is too much to do.',
      type: 'gauge',
    } as const;
    return [
      labelled(shedding, 'what', [
        ['streams', Number(pressure.shedsStreams)],
        ['publications', Number(pressure.shedsPublications)],
      ]),
      gauge(
        'herald_outstanding_bytes',
        'Bytes that streams hold because clients have not taken them.',
        outstanding.total,
      ),
      gauge('herald_outstanding_limit_bytes', 'Bytes that streams may hold for their clients.', outstanding.limit),
      gauge('herald_recent_log_bytes', 'Bytes of the newest updates, which are kept encoded.', recent.bytes),
      gauge('herald_recent_log_limit_bytes', 'Bytes that the newest updates may take.', options.recentBytes),
      gauge(
        'herald_recent_log_entries',
        'The newest updates, comings and goings, which are kept encoded.',
        recent.length,
      ),
    ];
  }
}

function build({ journal: { kind: journal } }: HubCounts): Family {
  const labels = { version: VERSION, node: process.version, journal };
  const help = 'Always 1. The labels say which version of Herald runs, on which Node.js, with which kind of journal.';
  return { name: 'herald_build_info', help, type: 'gauge', values: [{ value: 1, labels }] };
}

function ofPublishing({ publications: { outcomes, toStored } }: HubCounts): Family[] {
  const about = {
    name: 'herald_publications_total',
    help: 'Publications, by what became of them.',
    type: 'counter',
  } as const;
  return [
    labelled(about, 'outcome', allOf(OUTCOMES, outcomes)),
    histogram('herald_publish_stored_seconds', 'From a publication until the journal has it.', toStored),
  ];
}

function ofDelivery({ delivered, journal, cohorts }: HubCounts): Family[] {
  const owed = delivered.owed(journal.head);
  const states = { name: 'herald_subscribers', help: 'Subscribers, by state.', type: 'gauge' } as const;
  const gaps = {
    name: 'herald_gaps_total',
    help: 'Subscribers that were told of updates missing, by reason.',
    type: 'counter',
  } as const;
  return [
    labelled(
      states,
      'state',
      STATES.map((state) => [state, delivered.of(state)]),
    ),
    gauge('herald_cohorts', 'Groups of subscribers that see the same stream.', cohorts),
    gauge('herald_behind_positions', 'Places of the log that all subscribers behind have still to pass.', owed.all),
    gauge('herald_behind_positions_max', 'The same for the one that is furthest behind.', owed.most),
    counter(
      'herald_deliveries_total',
      'Updates given to subscribers, each counted for each of them.',
      delivered.updates,
    ),
    counter('herald_delivery_writes_total', 'Writes that had updates.', delivered.writes),
    counter('herald_delivery_bytes_total', 'Bytes of these writes.', delivered.bytes),
    histogram(
      'herald_publish_socket_seconds',
      'From the time when an update was stored, in whole milliseconds, until the sockets of live subscribers had it.',
      delivered.toSocket,
    ),
    histogram(
      'herald_replay_seconds',
      'From the beginning of a stream that resumes until it is live.',
      delivered.replays,
    ),
    labelled(gaps, 'reason', allOf(GAPS, delivered.misses)),
    counter(
      'herald_resets_total',
      'Subscribers that were told of a log which lost its end.',
      delivered.misses.of('reset'),
    ),
    counter('herald_truncations_total', 'Subscribers that got the state in part.', delivered.misses.of('truncated')),
  ];
}

function ofJournal({ journal, journalReads, publications: { outcomes } }: HubCounts): Family[] {
  const { updates, bytes, fileBytes, indexBytes } = journal.usage;
  const errors = { name: 'herald_journal_errors_total', help: 'Operations that failed.', type: 'counter' } as const;
  return [
    gauge('herald_journal_available', '1 while an append can be expected to work.', journal.isAvailable),
    gauge('herald_journal_head', 'The position of the newest entry.', journal.head),
    gauge('herald_journal_oldest', 'The position from which on all updates are held.', journal.oldest),
    gauge('herald_journal_updates', 'Updates that are held, where the engine knows that by itself.', updates),
    gauge('herald_journal_bytes', 'Their bytes.', bytes),
    gauge('herald_journal_file_bytes', 'Bytes that the files of the journal take, where it has some.', fileBytes),
    gauge('herald_journal_index_bytes', 'Memory that the index by topic takes, where it lies in memory.', indexBytes),
    histogram('herald_journal_read_seconds', 'Reads of what is older than the recent log.', journalReads.reads),
    labelled(errors, 'operation', [
      ['append', outcomes.of('unavailable') + outcomes.of('failed')],
      ['read', journalReads.failedReads],
    ]),
  ];
}

function ofTraces({ spans: { exported, dropped, failed } }: HubCounts): Family {
  const about = {
    name: 'herald_trace_spans_total',
    help: 'Spans of traces, by what became of them.',
    type: 'counter',
  } as const;
  return labelled(about, 'outcome', Object.entries({ exported, dropped, failed }));
}
