import { z } from 'zod';

/** The socket in the directory on which the service waits for backups. Who may read the directory may have one. */
export const SOCKET = 'backup.sock';

/** Milliseconds without a sign of life after which the service lets go of what it holds for a backup. */
export const PATIENCE = 60_000;

/**
 * What the service says, in a line of JSON each: first where the files are held (`head` and `length` are those of
 * `FileHead`, in base64 and bytes), and at the end that they were held until the copy was done. Or why not, at any time.
 * The one who copies sends some byte from time to time, and closes its half of the socket when the copy is done.
 */
export const sayingSchema = z.union([
  z.strictObject({ head: z.base64(), length: z.number() }),
  z.strictObject({ isWhole: z.literal(true) }),
  z.strictObject({ failure: z.string() }),
]);

export type Saying = z.infer<typeof sayingSchema>;

export function lineOf(saying: Saying): string {
  return `${JSON.stringify(saying)}\n`;
}
