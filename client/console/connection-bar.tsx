import { type Signal, useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { Attempts } from './attempts.js';
import { clock, usePolling } from './hooks.js';
import { nameOf } from './token-subject.js';
import { requestDeveloperTokens } from './developer-tokens.js';
import type { Identity, Session } from './session.js';
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

/** Heartbeat intervals of silence after which a heartbeat counts as late. */
const LATE = 1.5;

/** Who is connected to what, and for how long. */
export function ConnectionBar({ name, label, session, since, children }: BarProps): JSX.Element {
  const state = session.state.value;
  const look = LOOKS[state];
  return (
    <section aria-label={label}>
      <div class="bar-card">
        <p class="state" data-look={look} id={`${name}-state`}>
          <svg viewBox="0 0 20 20" aria-hidden="true">
            <path d={ICONS[look]} />
          </svg>
          {t(`state_${state}`)}
        </p>
        {session.isWanted.value && !session.needsToken.value ? (
          <Facts session={session} />
        ) : (
          <ConnectForm name={name} session={session} since={since} />
        )}
        <div class="acts">
          {session.isWanted.value && <Acts name={name} session={session} />}
          {children}
        </div>
      </div>
      <Attempts session={session} />
    </section>
  );
}

function Facts({ session }: { session: Session }): JSX.Element {
  const now = clock.value;
  const openedAt = session.openedAt.value;
  const { process } = session.stream.head.value ?? {};
  return (
    <dl class="facts">
      <Fact name={t('as')} value={nameOf(session.identity.value?.token) ?? t('anonymous')} />
      <Fact more name={t('transport')} value={`fetch · ${httpVersion()}`} />
      {process !== undefined && <Fact more name={t('process')} value={process.slice(0, SHORT_NAME)} title={process} />}
      <Fact name={t('uptime')} value={openedAt === undefined ? t('none') : formatDuration(now - openedAt)} />
      <LastByte session={session} />
      <Fact name={t('reconnects')} value={formatNumber(session.reconnects.value)} />
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
        data-heir={`#${name}-disconnect`}
        disabled={session.openedAt.value === undefined}
        onClick={() => session.stream.cut()}
      >
        {t('cut')}
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
  const part = Math.min(1, Math.max(0, silence / period));
  return (
    <div title={period > 0 ? t('heartbeat', { duration: formatDuration(period) }) : undefined}>
      <dt>{t('lastByte')}</dt>
      <dd>
        {lastByteAt > 0 && period > 0 && (
          <svg class="ring" viewBox="0 0 20 20" aria-hidden="true" data-late={silence > LATE * period}>
            <circle cx="10" cy="10" r="8" />
            <circle cx="10" cy="10" r="8" pathLength={1} style={{ strokeDashoffset: String(part) }} />
          </svg>
        )}
        {lastByteAt === 0 ? t('none') : t('ago', { duration: formatDuration(silence) })}
      </dd>
    </div>
  );
}

interface FactProps {
  readonly name: string;
  readonly value: string;
  readonly title?: string;
  /** Whether it is left out where there is little room. */
  readonly more?: boolean;
}

function Fact({ name, value, title, more = false }: FactProps): JSX.Element {
  return (
    <div title={title} class={more ? 'more' : ''}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function ConnectForm({ name, session, since }: Omit<BarProps, 'label' | 'children'>): JSX.Element {
  const developer = useSignal<Identity | undefined>(undefined);
  const token = useSignal('');
  const publishToken = useSignal('');
  const adminToken = useSignal('');
  const ask = async (): Promise<boolean> => {
    try {
      developer.value = await requestDeveloperTokens();
      return false;
    } catch {
      // A service that is just starting is asked again.
      return true;
    }
  };
  usePolling(ask, DEVELOPER_PERIOD, []);
  const connect = (event: Event): void => {
    event.preventDefault();
    session.connect(
      {
        ...(token.value !== '' && { token: token.value.trim() }),
        ...(publishToken.value !== '' && { publishToken: publishToken.value.trim() }),
        ...(adminToken.value !== '' && { adminToken: adminToken.value.trim() }),
      },
      since,
    );
  };
  const tokens = developer.value;
  return (
    <div class="connect" data-heir={`#${name}-disconnect`}>
      <span class="label">{t('connectAs')}</span>
      {tokens && (
        <button type="button" class="primary" data-bar={name} onClick={() => session.connect(tokens, since)}>
          {t('developer')}
        </button>
      )}
      <button type="button" data-bar={name} onClick={() => session.connect({}, since)}>
        {t('anonymous')}
      </button>
      <details open={session.needsToken.value}>
        <summary>{t('withToken')}</summary>
        <form onSubmit={connect} autocomplete="off">
          <TokenField label={t('token')} value={token} isRequired />
          <TokenField label={t('publishToken')} value={publishToken} />
          <TokenField label={t('adminToken')} value={adminToken} />
          <small>{t('tokenNote')}</small>
          <button type="submit" class="primary">
            {t('connect')}
          </button>
        </form>
      </details>
    </div>
  );
}

interface TokenProps {
  readonly label: string;
  readonly value: Signal<string>;
  readonly isRequired?: boolean;
}

function TokenField({ label, value, isRequired = false }: TokenProps): JSX.Element {
  return (
    <label>
      {label}
      <input
        type="password"
        autocomplete="off"
        required={isRequired}
        value={value.value}
        onInput={({ currentTarget }) => (value.value = currentTarget.value)}
      />
    </label>
  );
}

/** The HTTP version of the page, which the stream shares: the browser tells the stream's own only when it has ended. */
function httpVersion(): string {
  const [page] = performance.getEntriesByType('navigation');
  const protocol = page instanceof PerformanceNavigationTiming ? page.nextHopProtocol : '';
  return { h2: 'HTTP/2', h3: 'HTTP/3' }[protocol] ?? 'HTTP/1.1';
}
