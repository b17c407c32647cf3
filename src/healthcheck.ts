import { readFileSync } from 'node:fs';
import { get as getHttp, type RequestOptions } from 'node:http';
import { get as getHttps } from 'node:https';
import process from 'node:process';
import { readVariable } from './config/environment.js';

/* The container's HEALTHCHECK: exits with 0 when the service in this container answers that it is alive. */

/** Reads a variable as the service does. */
function variable(name: string): string | undefined {
  return readVariable(name, process.env, (path) => readFileSync(path, 'utf8'));
}

/** The address at which the service is reached from inside the container. */
function hostFor(listening: string | undefined): string {
  return !listening || listening === '0.0.0.0' || listening === '::' ? '127.0.0.1' : listening;
}

try {
  // The certificate names the public host and not this address, so it is not verified: the request never leaves the
  // machine.
  const options: RequestOptions & { rejectUnauthorized: boolean } = {
    host: hostFor(variable('HOST')),
    port: variable('PORT') ?? '8080',
    path: '/health/live',
    timeout: 2_000,
    rejectUnauthorized: false,
  };
  const get = variable('HERALD_TLS_CERT_FILE') ? getHttps : getHttp;
  get(options, (response) => process.exit(response.statusCode === 200 ? 0 : 1))
    .on('timeout', () => process.exit(1))
    .on('error', () => process.exit(1));
} catch {
  // A `NAME_FILE` that can't be read.
  process.exit(1);
}
