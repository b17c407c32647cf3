import { Injectable, Logger } from '@nestjs/common';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { TrustedIssuers } from './trusted-issuers.js';

/** Ends the streams that were opened with a token whose key is not trusted any more, also those that open later. */
@Injectable()
export class KeyDepartures {
  private readonly logger = new Logger(KeyDepartures.name);

  constructor(
    private readonly streams: StreamRegistry,
    issuers: TrustedIssuers,
  ) {
    streams.addBar(({ caller }) => (caller.signedWith?.isGone ? 'revoked' : undefined));
    issuers.onChange(() => this.end());
  }

  private end(): void {
    const disconnected = this.streams.endWhere(({ info }) => info.caller.signedWith?.isGone === true, 'revoked');
    if (disconnected > 0)
      this.logger.log({ msg: 'streams ended because the key of their tokens is gone', disconnected });
  }
}
