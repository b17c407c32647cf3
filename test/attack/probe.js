/*
 * A well-behaved reader and publisher in a process of its own: it publishes to its topic twenty times a second, and
 * measures how long each update takes from before its publication until it has been read. Asked for the figures, it
 * sends those since it was asked last.
 */
import * as http from 'node:http';
import * as https from 'node:https';

const TOPIC = 'urn:probe';
const INTERVAL = 50;
const [port, hub, token, scheme] = process.argv.slice(2);
const { Agent, get, request } = scheme === 'https' ? https : http;
const TRUST = { rejectUnauthorized: false };
const sent = new Map();
let taken = [];
let serial = 0;
let isReady = false;

read('');
setInterval(publish, INTERVAL);

process.on('message', () => {
  // What has not come yet has taken this long at least.
  const late = [...sent.values()].map((at) => performance.now() - at).filter((ms) => ms > 1_000);
  process.send({ latencies: [...taken, ...late], late: late.length });
  taken = [];
});
process.on('disconnect', () => process.exit());

function read(lastEventId) {
  const headers = lastEventId ? { 'last-event-id': lastEventId } : {};
  let last = lastEventId;
  const again = () => setTimeout(read, 50, last);
  get({ ...TRUST, port, path: `${hub}?match=${TOPIC}`, headers, agent: false }, (response) => {
    let text = '';
    if (!isReady) process.send('ready');
    isReady = true;
    response.setEncoding('utf8').on('data', (part) => {
      text += part;
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        last = /^id: (.*)$/m.exec(event)?.[1] ?? last;
        take(/^data: n(\d+)$/m.exec(event)?.[1]);
      }
    });
    response.on('close', again);
  }).on('error', again);
}

function take(number) {
  const at = sent.get(number);
  if (at === undefined) return;
  taken.push(performance.now() - at);
  sent.delete(number);
}

function publish() {
  serial += 1;
  const body = `topic=${TOPIC}&data=n${serial}`;
  sent.set(String(serial), performance.now());
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' };
  request({ ...TRUST, port, path: hub, method: 'POST', headers, agent: publish.agent }, (response) => response.resume())
    .on('error', () => undefined)
    .end(body);
}

publish.agent = new Agent({ keepAlive: true });
