import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { formatAge } from './ages.js';
import { Breakable } from './breakable.js';
import { usePolling } from './hooks.js';
import type { Session } from './session.js';
import { formatNumber, t } from './translation.js';

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

/** Reads from the hub; undefined where it does not answer, or refuses. */
type Read = <T>(path: string) => Promise<T | undefined>;

const PERIOD = 3_000;
const MOST = 200;

/** The hub's processes, and who is connected to the one that answers. */
export function Administration({ session }: { session: Session }): JSX.Element {
  const processes = useSignal<readonly Process[] | undefined>(undefined);
  const connections = useSignal<readonly Connection[] | undefined>(undefined);
  const read: Read = async <T,>(path: string) => {
    const response = await session.ask(path).catch(() => undefined);
    return response?.ok ? ((await response.json()) as T) : undefined;
  };
  const load = async (): Promise<void> => {
    const [all, open] = await Promise.all([
      read<{ processes: Process[] }>('admin/processes'),
      read<{ connections: Connection[] }>(`admin/connections?limit=${MOST}`),
    ]);
    processes.value = all?.processes;
    connections.value = open?.connections;
  };
  usePolling(() => void load(), PERIOD, [session.identity.value]);
  const act = async (path: string, init: RequestInit): Promise<void> => {
    await session.ask(path, init).catch(() => undefined);
    await load();
  };
  const end = (id: number): void => void act(`admin/connections?id=${id}`, { method: 'DELETE' });
  const revoke = (subject: string): void => {
    const body = JSON.stringify({ subject, issued_before: Math.ceil(Date.now() / 1_000) });
    void act('admin/revocations', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  };
  if (!processes.value && !connections.value) return <p class="help">{t('adminRefused')}</p>;
  return (
    <div class="administration">
      <h3>{t('processes')}</h3>
      <ul class="processes">
        {processes.value?.map(({ id, host, version, startedAt, connections: count, isThis }) => (
          <li key={id}>
            <strong>{host}</strong> {version} {isThis && <span class="badge">{t('thisProcess')}</span>}
            <span class="faint">
              {t('uptime')} {formatAge(Date.now() - Date.parse(startedAt))} · {t('connections')} {formatNumber(count)}
            </span>
          </li>
        ))}
      </ul>
      <h3>{t('connections')}</h3>
      <Connections connections={connections.value ?? []} read={read} end={end} revoke={revoke} />
    </div>
  );
}

interface Acts {
  readonly read: Read;
  readonly end: (id: number) => void;
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
  const who = subject ?? address;
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
        <button type="button" aria-label={`${t('end')}: ${who}`} onClick={() => end(id)}>
          {t('end')}
        </button>
        {subject !== undefined && (
          <button type="button" aria-label={`${t('revoke')}: ${subject}`} onClick={() => revoke(subject)}>
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
    const connection = await read<{ matchers: readonly Matcher[] }>(`admin/connections/${id}`);
    if (connection) matchers.value = connection.matchers;
  };
  return (
    <details onToggle={({ currentTarget }) => void (currentTarget.open && load())}>
      <summary aria-label={`${t('topics')}: ${who}, ${formatNumber(count)}`}>{formatNumber(count)}</summary>
      <ul class="mono">
        {matchers.value.map(({ type, pattern }) => (
          <li key={`${type}:${pattern}`}>
            <Breakable text={pattern} />
          </li>
        ))}
      </ul>
    </details>
  );
}
