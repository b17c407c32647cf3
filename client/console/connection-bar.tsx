import { signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { formatAge } from './ages.js';
import { Attempts } from './attempts.js';
import { clock, usePolling } from './hooks.js';
import { NO_TOKEN } from './no-token.js';
import { nameOf } from './token-subject.js';
import { requestDeveloperTokens } from './developer-tokens.js';
import type { Identity, Session } from './session.js';
import { ShortLabel } from './short-label.js';
import { TokenDialog } from './token-dialog.js';
import { formatDuration, formatNumber, t } from './translation.js';

/** How each state of the connection looks. */
export const LOOKS = {
  idle: 'idle',
  connecting: 'busy',
  open: 'open',
  waiting: 'lost',
  offline: 'lost',
  failed: 'failed',
  closed: 'failed',
} as const;

const ICONS = {
  idle: 'M10 4a6 6 0 1 1 0 12 6 6 0 0 1 0-12',
  busy: 'M10 2a8 8 0 1 1-8 8',
  open: 'm4 10.5 4 4 8-9',
  lost: 'M10 2.5 18.5 17h-17zM10 8v4m0 2.4v.1',
  failed: 'm5 5 10 10m0-10-10 10',
} as const;

interface BarProps {
  /** The prefix of the ids of the bar's elements, as there may be two bars. */
  readonly name: string;
  readonly label: string;
  readonly session: Session;
  readonly since: string;
  /** Further controls. */
  readonly children?: ComponentChildren;
}

/** Characters of a process's name that tell it from the others. */
const SHORT_NAME = 8;

/** Milliseconds between two questions for the tokens for development, while the service does not answer. */
const DEVELOPER_PERIOD = 3_000;

/** The tokens for developers, where there are any. All bars know of them, so that nothing moves when one is shown anew. */
const developer = signal<Identity | undefined>(undefined);

/** Whether the service has said if there are any: what is shown before that would move. */
const isKnown = signal(false);

/** Heartbeat intervals of silence after which a heartbeat counts as late. */
const LATE = 1.5;

/** Who is connected to what, and for how long. */
export function ConnectionBar({ name, label, session, since, children }: BarProps): JSX.Element {
  const state = session.state.value;
  const look = LOOKS[state];
  return (
    <section aria-label={label} class="connection-bar">
      <p class="state" data-look={look} id={`${name}-state`}>
        <svg viewBox="0 0 20 20" aria-hidden="true">
          <path d={ICONS[look]} />
        </svg>
        {t(`state_${state}`)}
      </p>
      <div class="middle">
        <Attempts session={session} />
        {session.isWanted.value && !session.needsToken.value ? (
          <Facts session={session} />
        ) : (
          <ConnectForm name={name} session={session} since={since} />
        )}
      </div>
      <div class="acts">
        {session.isWanted.value && <Acts name={name} session={session} />}
        {children}
      </div>
    </section>
  );
}

function Facts({ session }: { session: Session }): JSX.Element {
  const now = clock.value;
  const openedAt = session.openedAt.value;
  const { process } = session.stream.head.value ?? {};
  const subject = nameOf(session.identity.value?.token) ?? t(NO_TOKEN);
  return (
    <dl class="facts">
      <Fact name={t('as')} value={subject} title={subject} width={7} />
      <Fact name={t('uptime')} value={openedAt === undefined ? t('none') : formatAge(now - openedAt)} width={4.5} />
      <LastByte session={session} />
      <Fact name={t('reconnects')} value={formatNumber(session.reconnects.value)} width={5.25} />
      <Fact more name={t('transport')} value={`fetch · ${httpVersion()}`} width={7} />
      {process !== undefined && (
        <Fact more name={t('process')} value={process.slice(0, SHORT_NAME)} title={process} width={5} />
      )}
    </dl>
  );
}

function Acts({ name, session }: { name: string; session: Session }): JSX.Element {
  return (
    <>
      <button
        type="button"
        id={`${name}-cut`}
        title={t('cutNote')}
        aria-label={t('cut')}
        data-heir={`#${name}-disconnect`}
        disabled={session.openedAt.value === undefined}
        onClick={() => session.stream.cut()}
      >
        <ShortLabel long={t('cut')} short={t('cutShort')} />
      </button>
      <button
        type="button"
        id={`${name}-disconnect`}
        data-heir={`.connect [data-bar="${name}"]`}
        onClick={() => session.disconnect()}
      >
        {t('disconnect')}
      </button>
    </>
  );
}

/** How long nothing has come, also as a part of the heartbeat interval. */
function LastByte({ session }: { session: Session }): JSX.Element {
  const { lastByteAt } = session.stream;
  const period = session.stream.head.value?.heartbeat ?? 0;
  const silence = clock.value - lastByteAt;
  const part = period > 0 ? Math.min(1, Math.max(0, silence / period)) : 1;
  return (
    <div
      title={period > 0 ? t('heartbeat', { duration: formatDuration(period) }) : undefined}
      style={{ '--width': '6.75rem' }}
    >
      <dt>{t('lastByte')}</dt>
      <dd>
        <svg
          class="ring"
          viewBox="0 0 20 20"
          aria-hidden="true"
          data-known={lastByteAt > 0 && period > 0}
          data-late={silence > LATE * period}
        >
          <circle cx="10" cy="10" r="8" />
          <circle cx="10" cy="10" r="8" pathLength={1} style={{ strokeDashoffset: String(part) }} />
        </svg>
        {lastByteAt === 0 ? t('none') : t('ago', { duration: formatAge(silence) })}
      </dd>
    </div>
  );
}

interface FactProps {
  readonly name: string;
  readonly value: string;
  readonly title?: string;
  /** In rem. It is the same whatever the value is, so that nothing moves when the value changes. */
  readonly width: number;
  /** Whether it is left out where there is little room. */
  readonly more?: boolean;
}

function Fact({ name, value, title, width, more = false }: FactProps): JSX.Element {
  return (
    <div title={title} class={more ? 'more' : ''} style={{ '--width': `${width}rem` }}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function ConnectForm({ name, session, since }: Pick<BarProps, 'name' | 'session' | 'since'>): JSX.Element {
  const ask = async (): Promise<boolean> => {
    try {
      developer.value = await requestDeveloperTokens();
      return false;
    } catch {
      // A service that is just starting is asked again.
      return true;
    } finally {
      isKnown.value = true;
    }
  };
  usePolling(ask, DEVELOPER_PERIOD, []);
  const tokens = developer.value;
  return (
    <div class="connect" data-known={isKnown.value} data-heir={`#${name}-disconnect`}>
      <span class="label">{t('connectAs')}</span>
      {tokens && (
        <button type="button" class="primary" data-bar={name} onClick={() => session.connect(tokens, since)}>
          {t('developer')}
        </button>
      )}
      <button type="button" data-bar={name} onClick={() => session.connect({}, since)}>
        {t(NO_TOKEN)}
      </button>
      <TokenDialog name={name} onConnect={(identity) => session.connect(identity, since)} />
    </div>
  );
}

/** The HTTP version of the page, which the stream shares: the browser tells the stream's own only when it has ended. */
function httpVersion(): string {
  const [page] = performance.getEntriesByType('navigation');
  const protocol = page instanceof PerformanceNavigationTiming ? page.nextHopProtocol : '';
  return { h2: 'HTTP/2', h3: 'HTTP/3' }[protocol] ?? 'HTTP/1.1';
}
