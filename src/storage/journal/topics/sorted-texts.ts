import { firstIndex } from '../../../shared/first-index.js';

/** A chunk with more texts is cut in two. Few enough that adding one moves little, many enough that chunks are few. */
const CHUNK = 512;

/**
 * Texts in order, each once. Adding, removing and finding one takes the time of a binary search: the texts lie in short
 * sorted lists, one after the other.
 */
export class SortedTexts {
  private readonly chunks: string[][] = [];

  /** Does nothing when the text is there. */
  add(text: string): void {
    const at = this.chunkOf(text);
    const chunk = this.chunks[at];
    if (!chunk) {
      this.chunks.push([text]);
      return;
    }
    const index = indexIn(chunk, text);
    if (chunk[index] === text) return;
    chunk.splice(index, 0, text);
    if (chunk.length > CHUNK) this.chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2));
  }

  /** Does nothing when the text is not there. */
  delete(text: string): void {
    const at = this.chunkOf(text);
    const chunk = this.chunks[at];
    const index = chunk ? indexIn(chunk, text) : 0;
    if (chunk?.[index] !== text) return;
    chunk.splice(index, 1);
    if (chunk.length === 0) this.chunks.splice(at, 1);
  }

  /** The texts from `start` on, in order. Nothing may be added or deleted meanwhile. */
  *from(start: string): Iterable<string> {
    const first = this.chunkOf(start);
    for (let at = first; at < this.chunks.length; at += 1) {
      const chunk = this.chunks[at] ?? [];
      for (let index = at === first ? indexIn(chunk, start) : 0; index < chunk.length; index += 1) {
        yield chunk[index] ?? '';
      }
    }
  }

  /** The chunk that has the text, or would have it. */
  private chunkOf(text: string): number {
    return Math.max(0, firstIndex(this.chunks.length, (index) => (this.chunks[index]?.[0] ?? '') > text) - 1);
  }
}

function indexIn(chunk: readonly string[], text: string): number {
  return firstIndex(chunk.length, (index) => (chunk[index] ?? '') >= text);
}
