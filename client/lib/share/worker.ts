/**
 * The SharedWorker that Herald serves: it elects the tab that has the connection, where there are no Web Locks. A tab
 * that goes away does not say so, so the leader is pinged. It answers in an event handler, because browsers slow down
 * the timers of hidden tabs, and not their event handlers. The others hear that the worker is `alive`, because nobody
 * tells them when it is not.
 */
export type ToWorker = 'stand' | 'leave' | 'seize' | 'pong';
export type FromWorker = 'hello' | 'elected' | 'deposed' | 'ping' | 'alive';

/** Milliseconds between two pings of the leader. */
const PERIOD = 1_000;

/** Pings that a leader may leave without an answer. */
const PATIENCE = 3;

interface WorkerScope {
  addEventListener(type: 'connect', listener: (event: MessageEvent) => void): void;
}

/** The ports of the candidates, the leader's first. */
const line: MessagePort[] = [];
let unanswered = 0;

function tell(port: MessagePort | undefined, message: FromWorker): void {
  port?.postMessage(message);
}

function elect(port: MessagePort): void {
  unanswered = 0;
  const [leader] = line;
  if (leader === port) return;
  tell(leader, 'deposed');
  remove(port);
  line.unshift(port);
  tell(port, 'elected');
}

function stand(port: MessagePort): void {
  if (line.includes(port)) return;
  line.push(port);
  if (line.length === 1) tell(port, 'elected');
}

function leave(port: MessagePort): void {
  const wasLeader = line[0] === port;
  remove(port);
  unanswered = 0;
  if (wasLeader) tell(line[0], 'elected');
}

function remove(port: MessagePort): void {
  const index = line.indexOf(port);
  if (index >= 0) line.splice(index, 1);
}

function heed(port: MessagePort, message: ToWorker): void {
  if (message === 'stand') stand(port);
  else if (message === 'leave') leave(port);
  else if (message === 'seize') elect(port);
  else if (port === line[0]) unanswered = 0;
}

setInterval(() => {
  const [leader, ...others] = line;
  for (const port of others) tell(port, 'alive');
  if (!leader) return;
  if (unanswered >= PATIENCE) {
    tell(leader, 'deposed');
    leave(leader);
    return;
  }
  unanswered += 1;
  tell(leader, 'ping');
}, PERIOD);

(globalThis as unknown as WorkerScope).addEventListener('connect', ({ ports: [port] }) => {
  port?.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => heed(port, data));
  port?.start();
  tell(port, 'hello');
});
