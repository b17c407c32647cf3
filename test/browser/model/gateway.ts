import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import type { Herald } from '../../support/herald.js';
import { LibrarySite } from '../library-site.js';
import { listenOverHttp2 } from './http2-server.js';
import { PEOPLE, type Person, tokenOf } from './people.js';
import type { Trouble } from './step.js';
import type { Wishes } from './wishes.js';

/** What pages speak with the site, and with the hub through it. */
export type ModelTransport = 'http1' | 'http2';

/** A page of the site that is not the application's. */
export const ELSEWHERE = '/elsewhere';

/** Where a page gets its person's token: `/token/` and the person's place in the list. */
const TOKENS = '/token/';

const RETRY = /^retry: \d+$/gm;

/** The application's site, and what stands between it and the hub: it makes trouble, and hands out tokens. */
export class Gateway extends LibrarySite {
  private trouble: Trouble | undefined;
  /** Those whose tokens are soon over. */
  private readonly brief = new Set<Person>();
  private readonly tokens = new Map<Person, Set<string>>();
  private readonly waiting = new Set<() => void>();

  private constructor(
    server: Server,
    herald: Pick<Herald, 'url'>,
    private readonly wishes: Wishes,
    private readonly transport: ModelTransport,
  ) {
    super(server, herald);
  }

  static async between(herald: Pick<Herald, 'url'>, wishes: Wishes, transport: ModelTransport): Promise<Gateway> {
    const server = await (transport === 'http2' ? listenOverHttp2() : LibrarySite.listen());
    return new Gateway(server, herald, wishes, transport);
  }

  /** Where it is by this host name. */
  originAt(host: string): string {
    return `${this.transport === 'http2' ? 'https' : 'http'}://${host}:${this.port}`;
  }

  /** Whether pages can be loaded from it. */
  get isWell(): boolean {
    return this.trouble === undefined;
  }

  make(trouble: Trouble): void {
    this.mend();
    this.trouble = trouble;
    if (trouble === 'cut') this.goAway();
    if (trouble === 'stall') this.stall();
  }

  /** Streams that carry nothing stay so, as nothing says that they are whole; whoever waits for an answer gets it. */
  mend(): void {
    this.trouble = undefined;
    this.comeBack();
    for (const answer of this.waiting) answer();
    this.waiting.clear();
  }

  /** Their next tokens are brief, and they need one now. */
  expire(person: Person): void {
    this.brief.add(person);
    const tokens = this.tokens.get(person);
    for (const stream of this.streams) {
      if (tokens?.has(stream.req.headers.authorization?.replace('Bearer ', '') ?? '')) stream.destroy();
    }
  }

  /** From now on all tokens are good for long. */
  expireNobody(): void {
    this.brief.clear();
  }

  protected override pass(request: IncomingMessage, response: ServerResponse): void {
    const { url = '' } = request;
    if (url === ELSEWHERE) response.writeHead(200, { 'content-type': 'text/html' }).end('<title>elsewhere</title>');
    else if (url.startsWith(TOKENS)) void this.giveToken(Number(url.slice(TOKENS.length)), response);
    else if (this.trouble === 'stall') this.waiting.add(() => this.forward(request, response));
    else if (typeof this.trouble === 'number') refuse(this.trouble, response);
    else this.forward(request, response);
  }

  /** The hub asks everybody to stay away for some seconds, which would be most of a programme. */
  protected override filter(answer: IncomingMessage): Readable {
    const shorten = new Transform({
      transform: (piece: Buffer, _, done) =>
        done(null, Buffer.from(piece.toString('latin1').replace(RETRY, 'retry: 20'), 'latin1')),
    });
    answer.on('error', () => shorten.destroy());
    return answer.headers['content-type']?.startsWith('text/event-stream') ? answer.pipe(shorten) : answer;
  }

  private async giveToken(index: number, response: ServerResponse): Promise<void> {
    const person = PEOPLE[index];
    const token = person && (await tokenOf(person, this.wishes, this.brief.has(person)));
    if (!token) {
      response.writeHead(404).end();
      return;
    }
    const tokens = this.tokens.get(person) ?? new Set();
    this.tokens.set(person, tokens.add(token));
    response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-store' }).end(token);
  }
}

/** As a gateway does whose hub is away, being deployed, or asked too often. */
function refuse(status: number, response: ServerResponse): void {
  response.writeHead(status, {
    'content-type': 'text/html',
    ...(status === 429 && { 'retry-after': '1' }),
  });
  response.end(`<html><title>${status}</title><h1>${status}</h1></html>`);
}
