import { Agent, type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';

/** Begins a request of HTTP/1.1, over TLS where the address says so. The tests' own certificates are taken on trust. */
export function requestTo(url: string, options: RequestOptions = {}): ClientRequest {
  return isTls(url) ? tlsRequest(url, { rejectUnauthorized: false, ...options }) : httpRequest(url, options);
}

/** Requests on kept-alive connections, plain and over TLS. `using` closes them. */
export class KeptAlive implements Disposable {
  private readonly plain: Agent;
  private readonly tls: TlsAgent;

  /** @param maxSockets connections to one address, at most. */
  constructor(maxSockets: number) {
    this.plain = new Agent({ keepAlive: true, maxSockets });
    this.tls = new TlsAgent({ keepAlive: true, maxSockets });
  }

  request(url: string, options: RequestOptions): ClientRequest {
    return requestTo(url, { ...options, agent: isTls(url) ? this.tls : this.plain });
  }

  [Symbol.dispose](): void {
    this.plain.destroy();
    this.tls.destroy();
  }
}

function isTls(url: string): boolean {
  return url.startsWith('https:');
}
