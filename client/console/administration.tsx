import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { ADMIN_PATH, ADMIN_SETTING } from '../src/page-places.js';
import { formatAge } from './ages.js';
import { Breakable } from './breakable.js';
import { ConfirmDialog } from './confirm-dialog.js';
import { usePolling } from './hooks.js';
import { isRefusedForGood, type Refusal } from './problem-kinds.js';
import { ProblemText } from './problem-text.js';
import { readFrom } from './read-from.js';
import type { Session } from './session.js';
import { formatNumber, formatTime, t } from './translation.js';
import { visible } from './visible-text.js';

interface Process {
  readonly id: string;
  readonly host: string;
  readonly version: string;
  readonly startedAt: string;
  readonly connections: number;
  readonly isThis: boolean;
}

interface Connection {
  readonly id: number;
  readonly address: string;
  readonly subject?: string;
  /** Milliseconds. */
  readonly age: number;
  readonly isFull: boolean;
  readonly isLive?: boolean;
  readonly matcherCount?: number;
}

interface Matcher {
  readonly type: string;
  readonly pattern: string;
}

/** Reads from the hub. See `readFrom`. */
type Read = <T>(path: string) => Promise<T>;

/** What the administrator has done, or what kept that from being done. */
type Outcome = { readonly text: string } | { readonly error: unknown };

interface Known {
  readonly processes: readonly Process[];
  readonly connections: readonly Connection[];
}

const PERIOD = 3_000;
const MOST = 200;

/** The hub's processes, and who is connected to the one that answers. */
export function Administration({ session }: { session: Session }): JSX.Element {
  const known = useSignal<Known | undefined>(undefined);
  const refused = useSignal<Refusal | undefined>(undefined);
  const asked = useSignal(0);
  const load = async (): Promise<boolean> => {
    try {
      const [{ processes }, { connections }] = await Promise.all([
        readFrom<{ processes: Process[] }>(session, `${ADMIN_PATH}/processes`),
        readFrom<{ connections: Connection[] }>(session, `${ADMIN_PATH}/connections?limit=${MOST}`),
      ]);
      known.value = { processes, connections };
      refused.value = undefined;
    } catch (error) {
      // A service that is away for a moment may come back; one that refuses this token does not change its mind.
      if (!isRefusedForGood(error)) return true;
      known.value = undefined;
      refused.value = error;
      return false;
    }
    return true;
  };
  usePolling(load, PERIOD, [session.identity.value, asked.value]);
  if (known.value) return <Hub session={session} known={known.value} load={load} />;
  if (!refused.value) return <p class="help">{t('state_connecting')}</p>;
  return (
    <div class="refused">
      <p class="help">{t('adminRefused', { setting: ADMIN_SETTING })}</p>
      <button type="button" id="admin-again" onClick={() => (asked.value += 1)}>
        {t('askAgain')}
      </button>
    </div>
  );
}

interface HubProps {
  readonly session: Session;
  readonly known: Known;
  readonly load: () => Promise<unknown>;
}

function Hub({ session, known, load }: HubProps): JSX.Element {
  const outcome = useSignal<Outcome | undefined>(undefined);
  /** The subject that is to be revoked, once that is confirmed. */
  const doomed = useSignal<string | undefined>(undefined);
  const act = async (text: string, path: string, init: RequestInit): Promise<void> => {
    try {
      await readFrom(session, path, init);
      outcome.value = { text };
    } catch (error) {
      outcome.value = { error };
    }
    await load();
  };
  const end = (id: number, who: string): void =>
    void act(t('ended', { who }), `${ADMIN_PATH}/connections?id=${id}`, { method: 'DELETE' });
  const revoke = (subject: string): void => {
    const issuedBefore = Math.ceil(Date.now() / 1_000);
    const body = JSON.stringify({ subject, issued_before: issuedBefore });
    const text = t('revoked', { subject: visible(subject), time: formatTime(issuedBefore * 1_000) });
    void act(text, `${ADMIN_PATH}/revocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
  };
  const subject = doomed.value;
  return (
    <div class="administration">
      <h3>{t('processes')}</h3>
      <Processes processes={known.processes} />
      <h3>{t('connections')}</h3>
      <OutcomeLine outcome={outcome.value} />
      <Connections
        connections={known.connections}
        read={(path) => readFrom(session, path)}
        end={end}
        revoke={(chosen) => (doomed.value = chosen)}
      />
      {subject !== undefined && (
        <ConfirmDialog
          title={t('revokeTitle', { subject: visible(subject) })}
          act={t('revokeDo', { subject: visible(subject) })}
          heir="#admin-outcome;#panel"
          onConfirm={() => revoke(subject)}
          onClose={() => (doomed.value = undefined)}
        >
          {t('revokeNote', { subject: visible(subject) })}
        </ConfirmDialog>
      )}
    </div>
  );
}

function Processes({ processes }: Pick<Known, 'processes'>): JSX.Element {
  return (
    <ul class="processes">
      {processes.map(({ id, host, version, startedAt, connections: count, isThis }) => (
        <li key={id}>
          <strong>{host}</strong> {version} {isThis && <span class="badge">{t('thisProcess')}</span>}
          <span class="faint">
            {t('uptime')} {formatAge(Date.now() - Date.parse(startedAt))} · {t('connections')} {formatNumber(count)}
          </span>
        </li>
      ))}
    </ul>
  );
}

function OutcomeLine({ outcome }: { outcome: Outcome | undefined }): JSX.Element {
  const isFailure = outcome !== undefined && 'error' in outcome;
  return (
    <p id="admin-outcome" role="status" tabIndex={-1} class={isFailure ? 'notice' : 'faint'}>
      {isFailure ? (
        <>
          {t('actFailed')} <ProblemText error={outcome.error} />
        </>
      ) : (
        outcome?.text
      )}
    </p>
  );
}

interface Acts {
  readonly read: Read;
  readonly end: (id: number, who: string) => void;
  readonly revoke: (subject: string) => void;
}

function Connections({ connections, ...acts }: Acts & { connections: readonly Connection[] }): JSX.Element {
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={t('connections')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('subject')}</th>
            <th scope="col">{t('topics')}</th>
            <th scope="col">{t('since_col')}</th>
            <th scope="col">{t('state')}</th>
            <th scope="col">
              <span class="unseen">{t('end')}</span>
            </th>
            <th scope="col">
              <span class="unseen">{t('revoke')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {connections.map((connection) => (
            <ConnectionRow key={connection.id} connection={connection} {...acts} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ConnectionRow({ connection, read, end, revoke }: Acts & { connection: Connection }): JSX.Element {
  const { id, address, subject, age, isFull, isLive, matcherCount } = connection;
  const who = visible(subject ?? address);
  return (
    <tr>
      <th scope="row">{who}</th>
      <td>{matcherCount !== undefined && <Topics id={id} count={matcherCount} who={who} read={read} />}</td>
      <td>{formatAge(age)}</td>
      <td>
        {isFull && <span class="badge bad">{t('slow')}</span>}
        {isLive === false && !isFull && <span class="badge">{t('behind')}</span>}
      </td>
      <td>
        <button type="button" aria-label={t('endName', { who, id: String(id) })} onClick={() => end(id, who)}>
          {t('end')}
        </button>
      </td>
      <td>
        {subject !== undefined && (
          <button type="button" class="danger" aria-label={`${t('revoke')}: ${who}`} onClick={() => revoke(subject)}>
            {t('revoke')}
          </button>
        )}
      </td>
    </tr>
  );
}

/** How many topics and patterns a connection is subscribed to, and, when it is opened, which. */
function Topics({ id, count, who, read }: { id: number; count: number; who: string; read: Read }): JSX.Element {
  const matchers = useSignal<readonly Matcher[]>([]);
  const load = async (): Promise<void> => {
    try {
      matchers.value = (await read<{ matchers: readonly Matcher[] }>(`${ADMIN_PATH}/connections/${id}`)).matchers;
    } catch {
      // The connection has ended: its row goes with the next answer.
    }
  };
  return (
    <details onToggle={({ currentTarget }) => void (currentTarget.open && load())}>
      <summary aria-label={`${t('topics')}: ${who}, ${formatNumber(count)}`}>{formatNumber(count)}</summary>
      <ul class="mono">
        {matchers.value.map(({ type, pattern }) => (
          <li key={`${type}:${pattern}`}>
            <Breakable text={visible(pattern)} />
          </li>
        ))}
      </ul>
    </details>
  );
}
