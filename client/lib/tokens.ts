import { claimsOf } from './claims.js';
import { TokenCall } from './token-call.js';
import type { TokenProvider, TokenRequest } from './token.js';

/** Looks at each token for reading before it is used. */
export type Admit = (token: string | undefined) => Promise<void>;

/** Milliseconds before its `exp` from when on a token is not used any more, or this part of the time that it has left. */
const MARGIN = { most: 30_000, part: 0.2 };

/** Milliseconds for which a token that does not say how long it is good waits for the request that it was asked for. */
const PATIENCE = 5_000;

interface Kept {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Whether one request alone may use it. */
  readonly isForOne: boolean;
}

/** The tokens of one use, which is reading or publishing: a provider may give others for publishing. */
interface Slot {
  kept?: Kept | undefined;
  call?: TokenCall | undefined;
  /** The last token that a request has gone out with. */
  used?: string;
}

/**
 * The tokens of a client, in the memory of its page alone. A JWT is kept until shortly before its `exp`, unless the hub
 * refuses it before; whoever asks while the provider is being asked shares its answer.
 */
export class Tokens {
  #provider: TokenProvider | undefined;
  #slots: Readonly<Record<'read' | 'publish', Slot>> = { read: {}, publish: {} };
  #admit: Admit = () => Promise.resolve();

  constructor(given: TokenProvider | string | undefined) {
    this.#provider = toProvider(given);
  }

  get hasProvider(): boolean {
    return this.#provider !== undefined;
  }

  /** From now on other tokens are used: perhaps those of another person. */
  set(given: TokenProvider | string | undefined): void {
    this.#provider = toProvider(given);
    this.#slots = { read: {}, publish: {} };
  }

  /** Has `admit` see each token for reading before a request goes out with it. */
  watch(admit: Admit): void {
    this.#admit = admit;
  }

  /**
   * The token for a request.
   * @throws what the provider throws; the signal's reason.
   */
  readonly ask = async (request: TokenRequest): Promise<string | undefined> => {
    const slots = this.#slots;
    const use = request.use ?? (request.reason === 'publish' ? 'publish' : 'read');
    const slot = slots[use];
    const token = use === 'read' ? await this.#look(request) : await this.#find(slot, request);
    if (use === 'read' && slots !== this.#slots) return this.ask(request);
    // Whoever has asked is gone meanwhile, so the token waits for another request.
    request.signal.throwIfAborted();
    if (token !== undefined) slot.used = token;
    if (slot.kept?.isForOne) slot.kept = undefined;
    return token;
  };

  /** Has the next token for reading admitted, and keeps it for the request that follows. */
  async look(signal: AbortSignal): Promise<void> {
    await this.#look({ reason: 'initial', signal });
  }

  async #look(request: TokenRequest): Promise<string | undefined> {
    const slots = this.#slots;
    const token = await this.#find(slots.read, request);
    if (slots === this.#slots) await this.#admit(token);
    return token;
  }

  async #find(slot: Slot, request: TokenRequest): Promise<string | undefined> {
    const provider = this.#provider;
    if (!provider) return undefined;
    const isRefusal = request.reason === 'unauthorized' || request.reason === 'expired';
    if (isRefusal) this.#forgetUsed();
    const { kept, call } = slot;
    if (kept && Date.now() < kept.until) return kept.token;
    if (call && !call.isAborted && (call.isFresh || !isRefusal)) return call.wait(request.signal);
    // No token of this provider can have been refused before one was used.
    const reason = isRefusal && slot.used === undefined ? 'initial' : request.reason;
    return this.#call(slot, isRefusal, (signal) => provider({ ...request, reason, signal })).wait(request.signal);
  }

  #call(slot: Slot, isFresh: boolean, provide: (signal: AbortSignal) => string | Promise<string>): TokenCall {
    const call = new TokenCall(isFresh, async (signal) => {
      try {
        const token = await new Promise<string>((resolve) => resolve(provide(signal)));
        if (token && slot.call === call) slot.kept = keep(token);
        return token;
      } finally {
        if (slot.call === call) slot.call = undefined;
      }
    });
    slot.call = call;
    return call;
  }

  /** The hub has refused a token, perhaps that of the other use: one that was used is not used again. */
  #forgetUsed(): void {
    for (const slot of Object.values(this.#slots)) if (slot.kept?.token === slot.used) slot.kept = undefined;
  }
}

function toProvider(given: TokenProvider | string | undefined): TokenProvider | undefined {
  return typeof given === 'string' ? () => given : given;
}

function keep(token: string): Kept {
  const now = Date.now();
  const exp = claimsOf(token)?.['exp'];
  const end = typeof exp === 'number' ? exp * 1_000 : 0;
  if (end <= now) return { token, until: now + PATIENCE, isForOne: true };
  return { token, until: end - Math.min(MARGIN.most, (end - now) * MARGIN.part), isForOne: false };
}
