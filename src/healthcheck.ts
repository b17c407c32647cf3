import { get as getHttp, type RequestOptions } from 'node:http';
import { get as getHttps } from 'node:https';
import process from 'node:process';

/* The container's HEALTHCHECK: exits with 0 when the service in this container answers that it is alive. */

const { PORT = '8080', HOST, HERALD_TLS_CERT_FILE } = process.env;

/** Where a service that listens on every address, or on the one that was set, is found from inside. */
const host = !HOST || HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST;

// The certificate names the public host, not this one; what is asked for here never leaves the machine.
const options: RequestOptions & { rejectUnauthorized: boolean } = {
  host,
  port: PORT,
  path: '/health/live',
  timeout: 2_000,
  rejectUnauthorized: false,
};

const get = HERALD_TLS_CERT_FILE ? getHttps : getHttp;
get(options, (response) => process.exit(response.statusCode === 200 ? 0 : 1))
  .on('timeout', () => process.exit(1))
  .on('error', () => process.exit(1));
