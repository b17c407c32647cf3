import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';

/** A key that tokens are verified with, and the only algorithm that it's good for (RFC 8725, 3.1). */
export interface VerificationKey {
  readonly key: KeyObject;
  readonly algorithm: string;
}

/** The fewest bytes of a secret for each algorithm: as many as its hash has (RFC 7518, 3.2). */
const SECRET_ALGORITHMS: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };

/** The algorithms that each kind of public key may be used with. The first is the default. */
const PUBLIC_ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  rsa: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  'rsa-pss': ['PS256', 'PS384', 'PS512'],
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
  ed25519: ['EdDSA', 'Ed25519'],
};

const SMALLEST_RSA_BITS = 2048;

/** A key that can't be used. The message says what would be right, and never repeats the key. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}

/** Whether a secret is shorter than its algorithm asks for. Public keys never are. */
export function isWeak({ key, algorithm }: VerificationKey): boolean {
  return (key.symmetricKeySize ?? Infinity) < (SECRET_ALGORITHMS[algorithm] ?? 0);
}

/**
 * The key that `text` holds: a public key or certificate in PEM, or else a secret.
 * @param algorithm what tokens are signed with; by default HS256 for a secret, and what fits the kind of a public key
 * @param mayBeWeak whether a secret may be shorter than its algorithm asks for
 * @throws {KeyError} when it can't be read, is too weak, or the algorithm isn't for keys of its kind
 */
export function parseKey(text: string, algorithm?: string, mayBeWeak = false): VerificationKey {
  return text.includes('-----BEGIN ')
    ? parsePem(unfoldPem(text), algorithm)
    : parseSecret(text, algorithm ?? 'HS256', mayBeWeak);
}

/** A PEM with its line ends, also where it was written in one line, with `\n` for each of them. */
export function unfoldPem(text: string): string {
  return text.replaceAll(/(\\r)?\\n/g, '\n');
}

function parseSecret(text: string, algorithm: string, mayBeWeak: boolean): VerificationKey {
  const bytes = Object.hasOwn(SECRET_ALGORITHMS, algorithm) ? SECRET_ALGORITHMS[algorithm] : undefined;
  if (bytes === undefined) {
    throw new KeyError(
      `is a secret, which works only with ${listOf(Object.keys(SECRET_ALGORITHMS))}: for other algorithms give a PEM`,
    );
  }
  if (Buffer.byteLength(text) < bytes && !mayBeWeak)
    throw new KeyError(`must be at least ${bytes} bytes long for ${algorithm}`);
  return { key: createSecretKey(text, 'utf8'), algorithm };
}

function parsePem(text: string, algorithm: string | undefined): VerificationKey {
  if (text.includes('PRIVATE KEY-----')) throw new KeyError('is a private key: give its public key, which is enough');
  const key = readPublicKey(text);
  const fitting = PUBLIC_ALGORITHMS[kindOf(key)];
  if (!fitting) throw new KeyError('must be an RSA, P-256, P-384, P-521 or Ed25519 key');
  if ((key.asymmetricKeyDetails?.modulusLength ?? Infinity) < SMALLEST_RSA_BITS) {
    throw new KeyError(`must have at least ${SMALLEST_RSA_BITS} bits`);
  }
  const chosen = algorithm ?? fitting[0] ?? '';
  if (!fitting.includes(chosen)) throw new KeyError(`does not fit its algorithm, which must be ${listOf(fitting)}`);
  return { key, algorithm: chosen };
}

function readPublicKey(text: string): KeyObject {
  try {
    return createPublicKey(text);
  } catch {
    throw new KeyError('must be a public key or a certificate in PEM, whole and unchanged');
  }
}

function kindOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  return asymmetricKeyType === 'ec' ? (asymmetricKeyDetails?.namedCurve ?? 'ec') : (asymmetricKeyType ?? '');
}

function listOf(names: readonly string[]): string {
  return names.length === 1 ? (names[0] ?? '') : `one of ${names.join(', ')}`;
}
