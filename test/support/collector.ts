import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { text } from 'node:stream/consumers';

/** Milliseconds that spans may take before the test gives up on them. */
const PATIENCE = 15_000;

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number | string };
}

/** A span as it has come. */
export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  /** 1 is internal, 2 a server's, 4 a producer's. */
  readonly kind: number;
  readonly status?: { readonly code?: number };
  readonly links?: readonly { readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  /** Of the process that has sent it. */
  readonly resource: Readonly<Record<string, string | number | undefined>>;
}

interface Traces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<CollectedSpan, 'attributes'> & { readonly attributes: readonly Attribute[] })[];
    }[];
  }[];
}

function recordOf(attributes: readonly Attribute[]): CollectedSpan['attributes'] {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? (value.intValue === undefined ? undefined : Number(value.intValue)),
    ]),
  );
}

/** Takes spans as OpenTelemetry's collector does, as JSON over HTTP (OTLP). `await using` ends it. */
export class Collector implements AsyncDisposable {
  readonly spans: CollectedSpan[] = [];
  /** The heads of all requests. */
  readonly requests: { readonly url: string | undefined; readonly headers: IncomingHttpHeaders }[] = [];
  /** What it answers. */
  status = 200;
  private wakeUp = (): void => undefined;

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      this.requests.push({ url: request.url, headers: request.headers });
      void this.answer(request, response);
    });
  }

  static async start(port = 0): Promise<Collector> {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new Collector(server);
  }

  get port(): number {
    const address = this.server.address();
    if (typeof address !== 'object' || !address) throw new Error('the collector does not listen');
    return address.port;
  }

  /** What switches traces on that come here. */
  get env(): Readonly<Record<string, string>> {
    return { HERALD_TRACES: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.port}` };
  }

  /** The spans with this name. */
  named(name: string): CollectedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  /** The first `count` spans with this name. */
  async take(name: string, count = 1): Promise<CollectedSpan[]> {
    await this.until(() => this.named(name).length >= count);
    return this.named(name).slice(0, count);
  }

  /** Resolves once `condition` holds, which is looked at with each request. */
  async until(condition: (collector: this) => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    while (!condition(this)) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`the spans do not come; there are ${JSON.stringify(this.spans, null, 1)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wakeUp = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    if (this.server.listening) await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    response.writeHead(this.status, { 'content-type': 'application/json' }).end('{"secret":"of the collector"}');
    if (this.status === 200) this.keep(JSON.parse(body) as Traces);
    this.wakeUp();
  }

  private keep({ resourceSpans }: Traces): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const process = recordOf(resource.attributes);
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({ ...span, attributes: recordOf(span.attributes), resource: process });
      }
    }
  }
}
