import type { z } from 'zod';
import { HubError } from '../../access/hub.errors.js';

/**
 * What an administrator's request says, by its schema.
 * @param known names what the request may contain.
 * @throws HubError `criteria-invalid`
 */
export function parse<Schema extends z.ZodType>(schema: Schema, given: unknown, known: string): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new HubError('criteria-invalid', `The request is not understood: it may contain only ${known}.`);
}
