import { nearestName } from './nearest-name.js';

export type Environment = Readonly<Record<string, string | undefined>>;
export type ReadFile = (path: string) => string;

/** What only commands read, and the service leaves alone. */
const OF_COMMANDS = ['HERALD_TOKEN', 'HERALD_URL'];

/**
 * What Kubernetes puts into the environment for a Service whose name begins with `herald`, such as
 * `HERALD_SERVICE_PORT_HTTP=8080` and `HERALD_WEB_PORT_8080_TCP_ADDR=10.0.0.7`
 * (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
 */
const SERVICE_NAME = /^HERALD_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;

/** Its `HERALD_PORT` can be told from a mistake by its value alone. */
const SERVICE_PORT_NAME = /^HERALD_(\w+_)?PORT$/;
const SERVICE_PORT = /^(tcp|udp|sctp):\/\//;

/**
 * The texts of the variables in `names`, from the environment or from the files it points to. An empty variable counts as
 * absent. What is wrong is added to `mistakes`, also each `HERALD_` variable with a name that is not known.
 */
export function gather(
  names: readonly string[],
  env: Environment,
  readFile: ReadFile,
  mistakes: string[],
): Record<string, string> {
  const given: Record<string, string> = {};
  for (const name of names) {
    try {
      const text = readVariable(name, env, readFile);
      if (text !== undefined) given[name] = text;
    } catch (error) {
      mistakes.push(error instanceof VariableError ? error.message : `${name} can't be read`);
    }
  }
  mistakes.push(...strangersIn(env, names));
  return given;
}

/**
 * The text of a variable, from `NAME` or from the file that `NAME_FILE` points to; undefined if both are absent or empty.
 * @throws {VariableError} when both are set, or the file can't be read or is empty.
 */
export function readVariable(name: string, env: Environment, readFile: ReadFile): string | undefined {
  const text = plainText(env[name]);
  const path = plainText(env[`${name}_FILE`]);
  if (text && path) throw new VariableError(`${name} and ${name}_FILE are both set: keep one of them`);
  return path ? readText(name, path, readFile) : text || undefined;
}

/** A variable can't be read. The message says how to mend it. */
class VariableError extends Error {
  override readonly name = 'VariableError';
}

/**
 * What a variable says, without the white space around it, such as the end of a line, and without the quotes that are left
 * around it where no shell has read the `.env` file that it comes from.
 */
export function plainText(text = ''): string {
  const trimmed = text.trim();
  return /^(["'])(.*)\1$/s.exec(trimmed)?.[2]?.trim() ?? trimmed;
}

/** A file holds what it says as it stands, so quotes in it are part of it. */
function readText(name: string, path: string, readFile: ReadFile): string {
  let text: string;
  try {
    text = readFile(path).trim();
  } catch {
    throw new VariableError(`${name}_FILE can't be read: check the path and its permissions`);
  }
  if (text === '') throw new VariableError(`${name}_FILE is an empty file: write the value into it`);
  return text;
}

function strangersIn(env: Environment, names: readonly string[]): string[] {
  const known = [...names, ...names.map((name) => `${name}_FILE`), ...OF_COMMANDS];
  return Object.keys(env)
    .filter((name) => name.startsWith('HERALD_') && !known.includes(name) && !isOfAnotherService(name, env[name]))
    .map((name) => {
      const nearest = nearestName(name, known);
      const hint = nearest ? `did you mean ${nearest}?` : "see the README's table for its spelling";
      return `${name} is not a variable Herald knows: ${hint}`;
    });
}

function isOfAnotherService(name: string, value = ''): boolean {
  return SERVICE_NAME.test(name) || (SERVICE_PORT_NAME.test(name) && SERVICE_PORT.test(plainText(value)));
}
