import type { OpenStream } from '../../streams/registry/stream-registry.js';

/** An open stream as lists have it. It is short, whatever was subscribed to: tokens alone bound its texts. */
export function rowOf(stream: OpenStream): object {
  const { requestId, address, caller } = stream.info;
  const { subject, issuer, tokenId, expiresAt } = caller;
  const age = Math.round(performance.now() - stream.openedAt);
  return {
    id: stream.serial,
    requestId,
    address,
    subject,
    issuer,
    token: tokenId,
    expiresAt,
    age,
    ...stream.describe(),
  };
}

/** An open stream with all that there is to say of it. */
export function detailOf(stream: OpenStream): object {
  return { ...rowOf(stream), ...stream.detail() };
}
