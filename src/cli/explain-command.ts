import { parseArgs } from 'node:util';
import { Logger } from '@nestjs/common';
import { decodeJwt } from 'jose';
import { TokenVerifier } from '../auth/tokens/token-verifier.js';
import { TrustedIssuers } from '../auth/tokens/trusted-issuers.js';
import { type Config, loadConfig } from '../config/config.js';
import { dialectTokens } from '../hub/service/dialects.js';
import { CheckedTopics } from '../hub/update/checked-topics.js';
import type { Grants } from '../access/grants.js';
import { HubError } from '../access/hub.errors.js';
import { type Command, orUsage, type Surroundings, UsageError } from './command.js';

const USAGE = `Usage: herald explain --topic TOPIC --token TOKEN [--audience URL]

Says whether the token may publish to the topic, and read private updates of it, and why not. With --token - the token
is read from standard input, where nobody sees it in the list of processes.
`;

const OPTIONS = {
  topic: { type: 'string' },
  token: { type: 'string' },
  audience: { type: 'string' },
  help: { type: 'boolean' },
} as const;

/** The longest token that fits into a header. */
const LONGEST_INPUT = 16 * 1024;

/** One thing that a token may or may not do. */
interface Verdict {
  readonly isAllowed: boolean;
  readonly why: string;
}

/** `herald explain`: says what a token may do with a topic. The exit status is 0 if the token may publish or read. */
export const explainCommand: Command = async (args, { env, input, output }) => {
  const {
    topic,
    token: given,
    audience,
    help,
  } = orUsage(() => parseArgs({ args: [...args], options: OPTIONS }).values, USAGE);
  if (help) {
    output.write(USAGE);
    return 0;
  }
  if (topic === undefined || given === undefined) throw new UsageError(`--topic and --token are needed.\n\n${USAGE}`);
  const token = given === '-' ? await readAll(input) : given;
  const config = loadConfig(env);
  // The verdicts say all that the verifier would log.
  Logger.overrideLogger(false);
  const explain = explainer(config, token, audience);
  const verdicts = {
    publish: await explain('publisher', (grants) => mayPublish(grants, topic, new URL(config.hub.hubUrl))),
    read: await explain('subscriber', (grants) => mayRead(grants, topic)),
  };
  for (const [action, { isAllowed, why }] of Object.entries(verdicts)) {
    output.write(`${action}: ${isAllowed ? 'yes' : 'no'}: ${why}\n`);
  }
  return Object.values(verdicts).some(({ isAllowed }) => isAllowed) ? 0 : 1;
};

type Judge = (grants: Grants) => Verdict;

function explainer(
  { auth, hub }: Config,
  token: string,
  audience: string | undefined,
): (role: 'publisher' | 'subscriber', judge: Judge) => Promise<Verdict> {
  const options = { ...auth, hubUrl: new URL(hub.hubUrl), subscriptions: hub.subscriptions.enabled };
  const verifier = new TokenVerifier(options, new TrustedIssuers(options));
  const resource = audience ?? hub.hubUrl;
  return async (role, judge) => {
    try {
      const grants = await verifier.verify(token, { role, resource, others: dialectTokens(auth) });
      return judge(grants);
    } catch (error) {
      if (error instanceof HubError)
        return { isAllowed: false, why: error.message + audienceNote(error, token, resource) };
      throw error;
    }
  };
}

/** Which audience a token has that is refused for it, and which one it would have to have where that is not said yet. */
function audienceNote({ message }: HubError, token: string, expected: string): string {
  if (!message.includes('audience')) return '';
  const audiences = [decodeJwt(token).aud ?? []].flat();
  const given = audiences.length > 0 ? `The token's is ${audiences.join(', ')}` : 'The token has none';
  return message.includes(expected) ? ` ${given}.` : ` ${given}, and must name ${expected}.`;
}

function mayPublish(grants: Grants, topic: string, hubUrl: URL): Verdict {
  new CheckedTopics(hubUrl).of([topic]);
  return grants.canPublish([topic])
    ? { isAllowed: true, why: 'a detail with the action "publish" matches the topic' }
    : { isAllowed: false, why: 'the token is valid, but no detail with the action "publish" matches the topic' };
}

function mayRead(grants: Grants, topic: string): Verdict {
  return grants.canRead([topic])
    ? { isAllowed: true, why: 'a detail with the action "subscribe" matches the topic: private updates too' }
    : {
        isAllowed: false,
        why: 'the token is valid, but no detail with the action "subscribe" matches the topic: public updates only',
      };
}

async function readAll(input: Surroundings['input']): Promise<string> {
  let text = '';
  for await (const chunk of input) {
    text += chunk.toString();
    if (text.length > LONGEST_INPUT) throw new UsageError('The token is too long.');
  }
  return text.trim();
}
