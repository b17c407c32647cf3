import { z } from 'zod';
import type { Parameter, Schema } from './operation.js';

/** A schema that requests are checked by, as the document has it. */
export function schemaOf(schema: z.ZodType): Schema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}

/** The parameters that a request's query is checked by, each with what it is for. */
export function queryOf<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  descriptions: Readonly<Record<keyof Shape, string>>,
): readonly Parameter[] {
  return Object.entries<string>(descriptions).map(([name, description]) => {
    const field = schema.shape[name as keyof Shape] as unknown as z.ZodType;
    return { name, in: 'query', description, schema: schemaOf(field), required: !field.safeParse(undefined).success };
  });
}
