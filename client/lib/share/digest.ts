/** Bytes of a digest. */
const LENGTH = 16;

/**
 * A digest of 128 bits, as hexadecimal digits: of SHA-256, or where the platform has none (on plain HTTP) FNV-1a, which
 * is enough to tell things apart that nobody makes alike on purpose.
 */
export async function digestOf(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  // It is missing on plain HTTP, although its type says otherwise.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle) return fnv1a(bytes);
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes));
  return Array.from(digest.subarray(0, LENGTH), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** FNV-1a with 128 bits (RFC 9923). */
export function fnv1a(bytes: Uint8Array): string {
  let hash = 0x6c62272e07bb014262b821756295c58dn;
  for (const byte of bytes) hash = BigInt.asUintN(128, (hash ^ BigInt(byte)) * 0x1000000000000000000013bn);
  return hash.toString(16).padStart(2 * LENGTH, '0');
}
