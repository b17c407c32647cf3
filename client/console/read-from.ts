import { type Refusal, refusalOf } from './problem-kinds.js';
import type { Session } from './session.js';

/**
 * Asks the hub for JSON, with the session's token for that path. An empty answer is undefined.
 * @throws {Refusal} where the hub refuses. TypeError where it does not answer.
 */
export async function readFrom<T>(session: Session, path: string, init?: RequestInit): Promise<T> {
  const response = await session.ask(path, init);
  if (!response.ok) throw await refused(response);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** An error that says what the hub's answer says. */
async function refused(response: Response): Promise<Error & Refusal> {
  return Object.assign(new Error('The hub has refused a request.'), await refusalOf(response));
}
