import { parseArgs } from 'node:util';
import { plainText } from '../config/environment.js';
import { HUB_PATH } from '../shared/hub-path.js';
import { parseDuration } from '../shared/units.js';
import { configFindings } from './check-command.js';
import { type Command, hubUrlOf, orUsage, UsageError } from './command.js';
import { type Finding, lineOf } from './doctor/finding.js';
import { hubFindings } from './doctor/hub-findings.js';
import { machineFindings } from './doctor/machine-findings.js';
import { ownFindings } from './doctor/own-findings.js';
import { probeOf } from './doctor/probe.js';

const USAGE = `Usage: herald doctor [--url URL] [--wait DURATION] [--json]

Tries what a hub needs, with the environment of the service, and says what to change: the configuration, keys and key
sets, the journal, what this machine allows, and with --url the way from a client to the hub and back.

  --url URL        the hub as its clients have it, such as https://example.com${HUB_PATH}. A stream is opened there, and,
                   where the environment has the keys, a private update is published for it and the client's address
                   looked up. HERALD_TOKEN is used where there is no key.
  --wait DURATION  keep the stream open for so long, such as 65s, to find time-outs of proxies
  --json           print one JSON object a line

Each line begins with ok, warn, fail, or skip for what could not be tried. The exit status is 1 where something failed.
`;

const OPTIONS = {
  url: { type: 'string' },
  wait: { type: 'string', default: '0' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean' },
} as const;

/** Milliseconds: streams end by themselves later, and the doctor's token expires. */
const LONGEST_WAIT = 300_000;

/** `herald doctor`: tries what a hub needs, and says what to change. */
export const doctorCommand: Command = async (args, { env, output }) => {
  const given = orUsage(() => parseArgs({ args: [...args], options: OPTIONS }).values, USAGE);
  if (given.help) {
    output.write(USAGE);
    return 0;
  }
  const url = given.url === undefined ? undefined : publicUrl(hubUrlOf(given.url, env));
  const wait = waitOf(given.wait);
  let hasFailed = false;
  const tell = (found: Finding): void => {
    hasFailed ||= found.level === 'fail';
    output.write(given.json ? `${JSON.stringify(found)}\n` : lineOf(found));
  };
  const { config, findings } = configFindings(env);
  for (const found of findings) tell(found);
  for (const found of config ? await ownFindings(config) : []) tell(found);
  for (const found of await machineFindings()) tell(found);
  if (url) await hubFindings(await probeOf(url, config, plainText(env['HERALD_TOKEN']) || undefined), wait, tell);
  return hasFailed ? 1 : 0;
};

/** The hub is where it always is, for who gives a site alone. */
function publicUrl(url: URL): URL {
  return url.pathname === '/' ? new URL(HUB_PATH, url) : url;
}

function waitOf(text: string): number {
  const wait = parseDuration(text);
  if (wait !== undefined && wait <= LONGEST_WAIT) return wait;
  throw new UsageError(`--wait must be a duration of at most 5m, such as 65s.\n\n${USAGE}`);
}
