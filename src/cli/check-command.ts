import { parseArgs } from 'node:util';
import { type Config, ConfigError, loadConfig } from '../config/config.js';
import type { Environment } from '../config/environment.js';
import { type Command, orUsage } from './command.js';
import { type Finding, finding, lineOf } from './doctor/finding.js';
import { ownFindings } from './doctor/own-findings.js';

const USAGE = `Usage: herald check [--json]

Says whether the service could start with this environment: reads the configuration, the keys and the key sets, and looks
whether the journal can be reached. Nothing is changed, and a service may run meanwhile. All mistakes are named at once.

  --json   print one JSON object a line

The exit status is 0 when all is well, and 78 when there is a mistake.
`;

/** sysexits.h: something was found in an unconfigured or misconfigured state. */
const BAD_CONFIG = 78;

/** `herald check`: says before a start whether it would succeed. */
export const checkCommand: Command = async (args, { env, output }) => {
  const options = { json: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  const { json = false, help } = orUsage(() => parseArgs({ args: [...args], options }).values, USAGE);
  if (help) {
    output.write(USAGE);
    return 0;
  }
  const { config, findings } = configFindings(env);
  const all = config ? [...findings, ...(await ownFindings(config))] : findings;
  for (const one of all) output.write(json ? `${JSON.stringify(one)}\n` : lineOf(one));
  return all.some(({ level }) => level === 'fail') ? BAD_CONFIG : 0;
};

/** The configuration, or each of the mistakes in it. */
export function configFindings(env: Environment): { config: Config | undefined; findings: Finding[] } {
  try {
    return { config: loadConfig(env), findings: [finding('configuration', 'ok', 'every variable is understood')] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: undefined, findings: error.mistakes.map((mistake) => finding('configuration', 'fail', mistake)) };
  }
}
