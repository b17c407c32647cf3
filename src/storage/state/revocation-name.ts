import { z } from 'zod';

/** What all tokens have in common that a revocation means. */
interface Criteria {
  /** The token's own name (`jti`). */
  readonly tokenId?: string | undefined;
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
}

const nameSchema = z.object({
  tokenId: z.string().optional(),
  issuer: z.string().optional(),
  subject: z.string().optional(),
  until: z.number().optional(),
});

/**
 * The name of a revocation, by which all engines keep it: as JSON, so that no two have the same.
 * @param until when no token can be meant any more: milliseconds since the epoch, or `Infinity`.
 */
export function nameOf(criteria: Criteria, until = Infinity): string {
  return JSON.stringify({ ...orderOf(criteria), ...(until !== Infinity && { until }) });
}

/** What the name was made of. One that another version has made may mean nothing here, and is kept for that one. */
export function partsOf(name: string): { readonly criteria: Criteria | undefined; readonly until: number } {
  const parsed = nameSchema.safeParse(parse(name));
  if (!parsed.success) return { criteria: undefined, until: Infinity };
  const { until = Infinity, ...criteria } = parsed.data;
  return { criteria, until };
}

function orderOf({ tokenId, issuer, subject }: Criteria): Criteria {
  return { tokenId, issuer, subject };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
