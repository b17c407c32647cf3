import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { firstPositionOf, isPresence, type Journal, type ReadEntry } from '../../storage/journal/journal.js';
import { eventIdOf } from '../../storage/journal/presence-record.js';

/** Every cursor begins with this prefix, and no update's id may. */
export const CURSOR_PREFIX = 'herald-cursor:';

/** A place in the log. */
export interface Place {
  readonly position: number;
  /** The id of the entry there; undefined when the entry is not held or damaged, or its id is not in memory. */
  readonly id: string | undefined;
}

const CIPHER = 'aes-256-gcm';
const NONCE = 12;
/** Bytes: 8 of the position, and 8 of the hash of the id of the entry there. */
const CONTENT = 16;
/** Stands for the hash when the id was not known: such a cursor can't tell whether the place has another entry now. */
const NO_CHECK = Buffer.alloc(8);
const CONTEXT = Buffer.from(CURSOR_PREFIX);

/** 44 bytes (nonce, content and authentication tag) are 59 characters in base64url. */
const FORM = /^herald-cursor:([A-Za-z0-9_-]{59})$/;

/** Cursors of one place that were made ahead and not given to anybody yet. */
interface Ahead extends Place {
  readonly secret: Buffer;
  readonly names: string[];
  /** How many cursors of this place have been made. */
  made: number;
}

/** Cursors that are made ahead at once. More would hold up everything else, at some 7 microseconds each. */
const MOST_AHEAD = 32;

/**
 * Cursors name places in the log for readers that have no update's id to come back with. The content of a cursor is
 * encrypted and authenticated with the log's own secret and a new nonce (AES-256-GCM). So the same place looks
 * different each time: nobody can see when private updates come, or how many, and nobody can make up a place.
 *
 * One secret is good for some 2^32 random nonces: a thousand cursors a second for fifty days without a pause.
 */
export class Cursors {
  private ahead: Ahead = { position: -1, id: undefined, secret: NO_CHECK, names: [], made: 0 };

  constructor(private readonly journal: Journal) {}

  /** A cursor of this place, which {@link locate} can read for as long as the log lives. */
  name(place: Place): string {
    const { ahead } = this;
    const { secret } = this.journal;
    const isSame = ahead.position === place.position && ahead.id === place.id && ahead.secret === secret;
    if (!isSame) this.ahead = { ...place, secret, names: [], made: 0 };
    return this.ahead.names.pop() ?? this.nameAhead();
  }

  /**
   * The one cursor of this place that is the same each time, at every process: for events that have no id of their own.
   * Its nonce is derived from what it says, so that no two contents have the same.
   */
  fixedName(place: Place): string {
    const { secret } = this.journal;
    const content = contentOf(place);
    const nonce = createHmac('sha256', secret).update(content).digest().subarray(0, NONCE);
    return seal(content, nonce, secret);
  }

  /**
   * Makes several cursors of the same place ahead: one made right after another takes a seventh of the time that it
   * takes by itself, and readers come in crowds, most of them to the head of the log.
   */
  private nameAhead(): string {
    const { ahead } = this;
    const count = Math.max(1, Math.min(ahead.made, MOST_AHEAD));
    const content = contentOf(ahead);
    const nonces = randomBytes(NONCE * count);
    for (let at = 0; at < nonces.length; at += NONCE) {
      ahead.names.push(seal(content, nonces.subarray(at, at + NONCE), ahead.secret));
    }
    ahead.made += count;
    return ahead.names.pop() ?? '';
  }

  /**
   * The place that a cursor names. Undefined when the cursor is malformed or of another log, when the place is beyond
   * the newest entry, when another entry is there now, and when entries after the place have been trimmed.
   * @throws {JournalUnavailableError} when the journal can't be read.
   */
  async locate(cursor: string): Promise<Place | undefined> {
    const opened = this.open(cursor);
    if (!opened) return undefined;
    const { position, check } = opened;
    const [entry] = position > 0 ? (await this.journal.read(position - 1, 1)).entries : [];
    if (entry && firstPositionOf(entry) <= position) {
      const id = idAt(entry, position);
      // A damaged entry has no id to compare, and the log can be read from after it all the same.
      if (id === undefined) return { position, id };
      return check.equals(NO_CHECK) || check.equals(checkOf(id)) ? { position, id } : undefined;
    }
    // The entry was trimmed, or there never was one. Nothing is missing if the next update is held, or is yet to come.
    const { oldest, head } = this.journal;
    return position <= head && position + 1 >= oldest ? { position, id: undefined } : undefined;
  }

  private open(cursor: string): { readonly position: number; readonly check: Buffer } | undefined {
    const [, text] = FORM.exec(cursor) ?? [];
    if (text === undefined) return undefined;
    const bytes = Buffer.from(text, 'base64url');
    const decipher = createDecipheriv(CIPHER, this.journal.secret, bytes.subarray(0, NONCE)).setAAD(CONTEXT);
    decipher.setAuthTag(bytes.subarray(NONCE + CONTENT));
    const content = decipher.update(bytes.subarray(NONCE, NONCE + CONTENT));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return { position: Number(content.readBigUInt64BE()), check: content.subarray(8) };
  }
}

function seal(content: Buffer, nonce: Buffer, secret: Buffer): string {
  const cipher = createCipheriv(CIPHER, secret, nonce).setAAD(CONTEXT);
  const sealed = [nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()];
  return CURSOR_PREFIX + Buffer.concat(sealed).toString('base64url');
}

/** Whether an id has the form that is reserved for cursors. */
export function isCursor(id: string): boolean {
  return id.startsWith(CURSOR_PREFIX);
}

/** The id of what the entry has at one of its positions; undefined when it is damaged. */
function idAt(entry: ReadEntry, position: number): string | undefined {
  return isPresence(entry) ? eventIdOf(entry.record, position - firstPositionOf(entry)) : entry.update?.id;
}

function contentOf({ position, id }: Place): Buffer {
  const content = Buffer.allocUnsafe(CONTENT);
  content.writeBigUInt64BE(BigInt(position));
  content.set(checkOf(id), 8);
  return content;
}

function checkOf(id: string | undefined): Buffer {
  return id === undefined ? NO_CHECK : createHash('sha256').update(id).digest().subarray(0, 8);
}
