import type { TokenProvider, TokenRequest } from './token.js';
import type { Admit, Tokens } from './tokens.js';

/**
 * The tokens of a client. Their code is loaded as soon as there is somebody to give them, so that it is there before an
 * outage. Whoever asks before that waits for it; where it can't be loaded asking fails, and the next one loads it again.
 */
export class LazyTokens {
  /** Another one after each `set`. */
  era: unknown;
  #given: TokenProvider | string | undefined;
  #tokens: Tokens | undefined;
  #admit: Admit | undefined;

  constructor(given: TokenProvider | string | undefined) {
    this.set(given);
  }

  /** Gives the token for a request, as `Tokens.ask` does; undefined where none is sent. */
  get ask(): Tokens['ask'] | undefined {
    return this.#given === undefined ? undefined : this.#ask;
  }

  /** From now on other tokens are used: perhaps those of another person. */
  set(given: TokenProvider | string | undefined): void {
    this.era = {};
    this.#given = given;
    this.#tokens?.set(given);
    // Should that fail, whoever asks is told.
    if (this.ask) this.#load().catch(() => undefined);
  }

  /** Has `admit` see each token for reading before a request goes out with it. */
  watch(admit: Admit): void {
    this.#admit = admit;
  }

  /** Has the next token for reading admitted, and keeps it for the request that follows. */
  async look(signal: AbortSignal): Promise<void> {
    if (!this.ask) return this.#admit?.(undefined);
    const tokens = await this.#load(signal);
    return tokens.look(signal);
  }

  readonly #ask = async (request: TokenRequest): Promise<string | undefined> => {
    const tokens = await this.#load(request.signal);
    return tokens.ask(request);
  };

  async #load(signal?: AbortSignal): Promise<Tokens> {
    const module = await import('./tokens.js');
    signal?.throwIfAborted();
    if (!this.#tokens) {
      this.#tokens = new module.Tokens(this.#given);
      this.#tokens.watch(async (token) => this.#admit?.(token));
    }
    return this.#tokens;
  }
}
