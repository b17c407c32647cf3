/** How much the index takes together. Tests make this small. */
export const LIMITS = {
  /** When a block of the newest updates has so much, it goes to the disk. Bytes are characters here, or those of records. */
  block: { topics: 4_096, count: 32_768, bytes: 8 * 1024 ** 2 },
  /** What is taken in at once of what lies on the disk only: by a commit, or when the files are opened. */
  part: { records: 2_048, count: 8_192, bytes: 1024 ** 2 },
  /** The same for a commit that appends, which has to take in more than it appends. */
  partBeside: { records: 256, count: 8_192, bytes: 8 * 1024 ** 2 },
  /** The most positions of a topic that lie together. More take fewer bytes, but are written again often. */
  chunk: 128,
  /** So many positions are soon indexed: after a restart there may be as many, and nobody has to be told. */
  few: 100_000,
};
