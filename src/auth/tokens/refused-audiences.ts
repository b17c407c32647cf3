import { Logger } from '@nestjs/common';

/** Milliseconds between two log lines: whoever has a token for something else may bring it all the time. */
const QUIET = 60_000;

/** Tells the operator of good tokens that were made for another audience, which is hardly ever meant. */
export class RefusedAudiences {
  private readonly logger = new Logger('Tokens');
  private loggedAt = -Infinity;
  private refused = 0;

  /**
   * @param expected what the token would have to name.
   * @param issuer whose token it is; its signature has been verified.
   */
  tell(expected: string, issuer: string | undefined): void {
    this.refused += 1;
    const now = performance.now();
    if (now - this.loggedAt < QUIET) return;
    this.logger.warn({
      msg: 'tokens are refused because their audience is not this hub: see HERALD_RESOURCE',
      expected,
      issuer,
      refused: this.refused,
    });
    this.loggedAt = now;
    this.refused = 0;
  }
}
