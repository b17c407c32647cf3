import { metadataUrlOf } from '../../auth/settings/resource.js';
import { messageOf } from '../../shared/errors/message-of.js';
import { ask, NoAnswerError } from '../client/event-feed.js';
import { refusalOf } from '../client/refusal.js';
import { clientFinding, corsFinding, headFindings, protocolFinding, resourceFinding } from './edge-findings.js';
import { type Finding, finding } from './finding.js';
import { type Probe, ProbeStream } from './probe.js';
import { bufferingFinding, heldBack, waitFinding } from './stream-findings.js';

/** Asks a hub as its clients do, through whatever lies before it. `tell` is told of each finding as it comes. */
export async function hubFindings(probe: Probe, wait: number, tell: (finding: Finding) => void): Promise<void> {
  tell(await protocolFinding(probe.url));
  const stream = await open(probe);
  if ('level' in stream) return tell(stream);
  using opened = stream;
  for (const one of headFindings(opened.response)) tell(one);
  tell(await bufferingFinding(probe, opened));
  tell(await clientFinding(probe, opened.response));
  tell(await resourceFinding(probe));
  tell(await corsFinding(probe));
  if (wait > 0) tell(await waitFinding(opened, wait));
}

/** A stream, or why there is none. */
async function open(probe: Probe): Promise<ProbeStream | Finding> {
  try {
    const stream = await ProbeStream.open(probe);
    const { response } = stream;
    if (response.statusCode !== 200) return notOpened(await refusalOf(response), response.statusCode);
    if (/^text\/event-stream\b/.test(response.headers['content-type'] ?? '')) return stream;
    stream[Symbol.dispose]();
    return finding('hub', 'fail', 'the answer is no event stream', 'give the URL of the hub itself, with its path');
  } catch (error) {
    if (error instanceof NoAnswerError && (await answers(probe.url)))
      return heldBack('not even the head of a stream has come');
    const change = 'see that the URL is right, that the proxy and the hub run, and that the proxy holds no stream back';
    return finding('hub', 'fail', `no stream: ${messageOf(error)}`, change);
  }
}

/** Whether there is a hub at all, of which another request is answered. */
async function answers(url: URL): Promise<boolean> {
  try {
    const response = await ask(new URL(metadataUrlOf(url.href)));
    response.resume();
    return response.statusCode === 200;
  } catch {
    return false;
  }
}

function notOpened(refusal: string, status: number | undefined): Finding {
  const change =
    status === 401 || status === 403
      ? "run this with the service's environment, or set HERALD_TOKEN"
      : 'see that the URL is that of the hub, and what the log of proxy and hub says';
  return finding('hub', 'fail', `no stream: ${refusal}`, change);
}
