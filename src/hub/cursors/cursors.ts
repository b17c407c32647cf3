import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { isWhole, type Journal } from '../../storage/journal/journal.js';

/** What every cursor begins with, and no update's id may. */
export const CURSOR_PREFIX = 'herald-cursor:';

/** A place in the log. */
export interface Place {
  readonly position: number;
  /** The id of the entry there; nothing where it is not held, damaged, or not at hand. */
  readonly id: string | undefined;
}

const CIPHER = 'aes-256-gcm';
const NONCE = 12;
/** The position, and the check of the entry there. */
const CONTENT = 16;
/** Of an entry whose id was not at hand when the cursor was made: it can't be told from another in its place. */
const NO_CHECK = Buffer.alloc(8);
const CONTEXT = Buffer.from(CURSOR_PREFIX);

/** 44 bytes are 59 characters. */
const FORM = /^herald-cursor:([A-Za-z0-9_-]{59})$/;

/** Names of one place that nobody has been given yet. */
interface Ahead extends Place {
  readonly secret: Buffer;
  readonly names: string[];
  /** How many have been made since this place was first asked for. */
  made: number;
}

/** More would hold up everything else, each of them for some 7 microseconds. */
const MOST_AHEAD = 32;

/**
 * Cursors name places in the log for readers that have no update's id to come back with. What one says is encrypted and
 * authenticated with the log's own secret and a new nonce (AES-256-GCM): the same place looks different each time, so that
 * nobody can see when private updates come, or how many, and nobody can make up a place.
 *
 * One secret is good for some 2^32 random nonces: a thousand cursors a second for fifty days without a pause.
 */
export class Cursors {
  private ahead: Ahead = { position: -1, id: undefined, secret: NO_CHECK, names: [], made: 0 };

  constructor(private readonly journal: Journal) {}

  /** A name of this place, which {@link locate} knows for as long as the log lives. */
  name(place: Place): string {
    const { ahead } = this;
    const { secret } = this.journal;
    const isSame = ahead.position === place.position && ahead.id === place.id && ahead.secret === secret;
    if (!isSame) this.ahead = { ...place, secret, names: [], made: 0 };
    return this.ahead.names.pop() ?? this.nameAhead();
  }

  /**
   * Names the same place several times, for those who come next: one cursor made right after another takes a seventh of
   * the time that it takes by itself, and readers come in crowds, most of them to where the log is now.
   */
  private nameAhead(): string {
    const { ahead } = this;
    const count = Math.max(1, Math.min(ahead.made, MOST_AHEAD));
    const content = contentOf(ahead);
    const nonces = randomBytes(NONCE * count);
    for (let at = 0; at < nonces.length; at += NONCE) {
      ahead.names.push(this.seal(content, nonces.subarray(at, at + NONCE)));
    }
    ahead.made += count;
    return ahead.names.pop() ?? '';
  }

  private seal(content: Buffer, nonce: Buffer): string {
    const cipher = createCipheriv(CIPHER, this.ahead.secret, nonce).setAAD(CONTEXT);
    const sealed = [nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()];
    return CURSOR_PREFIX + Buffer.concat(sealed).toString('base64url');
  }

  /**
   * The place that a cursor names. Nothing where it is of another log, or lies beyond the newest entry;
   * where another entry is there now; and where entries after it have been trimmed.
   * @throws {JournalUnavailableError} when the journal can't be read.
   */
  async locate(cursor: string): Promise<Place | undefined> {
    const opened = this.open(cursor);
    if (!opened) return undefined;
    const { position, check } = opened;
    const [entry] = position > 0 ? await this.journal.read(position - 1, 1) : [];
    if (entry?.position === position) {
      // What is damaged can't be compared, and is in nobody's way.
      if (!isWhole(entry)) return { position, id: undefined };
      const { id } = entry.update;
      return check.equals(NO_CHECK) || check.equals(checkOf(id)) ? { position, id } : undefined;
    }
    // It is trimmed, or there never was one: then nothing is missing if what comes next is there, or nothing is yet.
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

/** Whether an id is kept for cursors. */
export function isCursor(id: string): boolean {
  return id.startsWith(CURSOR_PREFIX);
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
