import { createPublicKey, type JsonWebKey, KeyObject } from 'node:crypto';
import type { CryptoKey } from 'jose';

/** What a public key is known by: its own bytes, whatever it is called and used for. */
export function identityOf(key: KeyObject | CryptoKey): string {
  const object = key instanceof KeyObject ? key : KeyObject.from(key);
  return object.export({ type: 'spki', format: 'der' }).toString('base64');
}

/** The same of a key in a set; undefined for one that can't be used. */
export function identityOfJwk(key: object): string | undefined {
  try {
    return identityOf(createPublicKey({ key: key as JsonWebKey, format: 'jwk' }));
  } catch {
    return undefined;
  }
}
