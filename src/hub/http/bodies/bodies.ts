import type { IncomingMessage } from 'node:http';
import { getHeapStatistics } from 'node:v8';
import { Inject, Injectable } from '@nestjs/common';
import { HubError } from '../../../access/hub.errors.js';
import type { HubRequest } from '../../../shared/exchange/hub-request.js';

/** The injection token of {@link BodyOptions}. */
export const BODY_OPTIONS = Symbol('body options');

export interface BodyOptions {
  /** Milliseconds within which a body must have come. */
  readonly timeout: number;
  /** Bytes of one body, or of a line of a batch. Default: what the framework takes, which is 1 MiB unless it is told otherwise. */
  readonly limit?: number | undefined;
  /** Bytes of all bodies that are being read or worked on. Default: 64 MB, or an eighth of the heap's limit. */
  readonly maxBytes?: number | undefined;
}

const DEFAULT_BYTES = 64 * 1024 ** 2;

/** Bytes of bodies that are taken as they are where they have come whole. */
const SHORT = 16 * 1024;

const EMPTY = Buffer.alloc(0);

const SOON = Promise.resolve();

/** The bytes of a body. They count until they are released; undefined where they do not count. */
export interface Body {
  readonly bytes: Buffer;
  readonly release: (() => void) | undefined;
}

/** Reads the bodies of requests: each within its limit and its time, and all together within a number of bytes. */
@Injectable()
export class Bodies {
  private held = 0;
  private readonly timeout: number;
  private readonly limit: number | undefined;
  private readonly maxBytes: number;

  /** @internal Nest calls it. */
  constructor(@Inject(BODY_OPTIONS) { timeout, limit, maxBytes }: BodyOptions) {
    this.timeout = timeout;
    this.limit = limit;
    this.maxBytes = maxBytes ?? Math.min(DEFAULT_BYTES, Math.floor(getHeapStatistics().heap_size_limit / 8));
  }

  /** Bytes that the body of this request may have, or each line of it. */
  limitOf({ routeOptions }: Pick<HubRequest, 'routeOptions'>): number {
    return this.limit ?? routeOptions.bodyLimit;
  }

  /** The bytes of all bodies that are held now. */
  get bytes(): number {
    return this.held;
  }

  /** @internal Counts bytes that are held of a body which is read bit by bit. False where there is no room: they don't count then. */
  hold(bytes: number): boolean {
    if (bytes > 0 && this.held + bytes > this.maxBytes) return false;
    this.held += bytes;
    return true;
  }

  /** @internal Counts them no more. */
  release(bytes: number): void {
    this.held -= bytes;
  }

  /**
   * @internal
   * Reads the whole body: at once where it is short and has come already.
   * @param limit in bytes.
   * @throws {HubError} `body-too-large`, `body-too-slow`, `body-incomplete`, or `overloaded` where all bodies together
   * hold too much. What still comes of the body is then thrown away.
   */
  read(request: IncomingMessage, limit: number): Body | Promise<Body> {
    if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
    return wholeOf(request, limit) ?? this.readSoon(request, limit);
  }

  /**
   * Node tells of a request before it has parsed the body that came with the head; a microtask later it has. On Fastify
   * `leaveBodiesUnread` has waited for that already.
   */
  private readSoon(request: IncomingMessage, limit: number): Promise<Body> {
    return SOON.then(() => wholeOf(request, limit) ?? this.readBitByBit(request, limit));
  }

  private readBitByBit(request: IncomingMessage, limit: number): Promise<Body> {
    // A client that left while its credentials were looked into is heard of no more.
    if (request.destroyed && !request.readableEnded) return Promise.reject(incomplete());
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const release = (): void => {
        this.held -= length;
        length = 0;
      };
      const stop = (): void => {
        clearTimeout(timer);
        request.off('data', take).off('end', finish).off('error', breakOff).off('close', breakOff);
        // An error of a request that is no longer read ends nothing but that request.
        request.on('error', () => undefined);
      };
      const refuse = (error: HubError): void => {
        stop();
        release();
        reject(error);
      };
      const take = (chunk: Buffer): void => {
        length += chunk.length;
        this.held += chunk.length;
        if (length > limit) return refuse(tooLarge(limit));
        if (this.held > this.maxBytes) return refuse(overloaded());
        chunks.push(chunk);
      };
      const finish = (): void => {
        stop();
        const [first = Buffer.alloc(0)] = chunks;
        resolve({ bytes: chunks.length > 1 ? Buffer.concat(chunks, length) : first, release });
      };
      const breakOff = (): void => refuse(incomplete());
      const timer = setTimeout(() => refuse(tooSlow(this.timeout)), this.timeout);
      request.on('data', take).on('end', finish).on('error', breakOff).on('close', breakOff);
    });
  }
}

/**
 * A short body that has come already, as that of most publications has: reading it as a stream took a tenth of a
 * publication's CPU time, and left much for the garbage collector. It is not counted, because there are no more of these
 * than connections.
 */
function wholeOf(request: IncomingMessage, limit: number): Body | undefined {
  const { complete, readableLength } = request;
  // Guards often run after the last byte, and before Node has noticed that it was the last.
  const isWhole = complete || readableLength === Number(request.headers['content-length']);
  if (!isWhole || readableLength > Math.min(limit, SHORT)) return undefined;
  const bytes = request.read() as Buffer | null;
  // Node keeps the request until its end has been read as well.
  if (!complete) request.resume();
  return { bytes: bytes ?? EMPTY, release: undefined };
}

function tooLarge(limit: number): HubError {
  return new HubError('body-too-large', `The body may have at most ${limit} bytes.`);
}

function incomplete(): HubError {
  return new HubError('body-incomplete', 'The connection ended before the body did.');
}

function tooSlow(timeout: number): HubError {
  return new HubError('body-too-slow', `The body did not come within ${timeout / 1_000} seconds: send it again.`);
}

function overloaded(): HubError {
  return new HubError('overloaded', 'The hub is reading too many bodies at once: send this one again later.');
}
