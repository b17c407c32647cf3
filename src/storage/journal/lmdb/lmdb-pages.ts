/** What LMDB tells of a B-tree. */
export interface Tree {
  readonly treeDepth: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
  readonly entryCount: number;
}

/** The pages of an LMDB file with a table of records and indexes that have each of them once at most. */
export interface FilePages {
  /** Bytes of one. */
  readonly size: number;
  readonly count: number;
  readonly records: Tree;
  readonly indexes: readonly Tree[];
  /** LMDB's own: of its tables, and of the free pages. */
  readonly others: readonly Tree[];
  /** Pages that the last two commits have freed, at most. LMDB uses them from the next but one on. */
  readonly resting: number;
}

/** The sizes of the records that a change appends and removes. Bytes. */
export interface Amounts {
  readonly append: readonly number[];
  readonly remove: readonly number[];
}

/** Trimmed entries that are removed in one commit of its own. */
export const SWEEP_ENTRIES = 256;

/** What a record takes beside its bytes, and what an index has for one, where pages are half full. Bytes. */
const NODE = 32;
const INDEX_NODE = 128;

/** The first two pages of each file. */
const META_PAGES = 2;

/** For the list of free pages and for the roots of the trees. */
const OTHER_PAGES = 64;

/**
 * By how many pages a file may grow at most through a change. LMDB writes what changes to other pages: free ones if
 * there are any, and for a large record only to some that lie together, which is not known of free ones.
 *
 * An append leaves room for two sweeps, the pages of which the third one can use, and for another such record once they
 * are done: so that trimming makes room for updates also on a disk that has none.
 */
export function pagesFor(pages: FilePages, change: Amounts): number {
  const large = change.append.map((size) => largePages(size, pages.size));
  const together = large.reduce((sum, count) => sum + count, 0);
  const single = singlePages(pages, change);
  const later = change.append.length > 0 ? 2 * changedPages(pages, SWEEP_ENTRIES) + large.reduce(larger, 0) : 0;
  return Math.ceil(OTHER_PAGES + together + Math.max(0, single + later - usablePages(pages)));
}

/** How many pages a change frees at most. */
export function freedPages(pages: FilePages, { append, remove }: Amounts): number {
  const large = remove.reduce((sum, size) => sum + largePages(size, pages.size), 0);
  return large + changedPages(pages, append.length + remove.length);
}

function singlePages(pages: FilePages, { append, remove }: Amounts): number {
  const changes = append.length + remove.length;
  const small = append.reduce((sum, size) => sum + (largePages(size, pages.size) > 0 ? 0 : 2 * (size + NODE)), 0);
  const added = small + append.length * pages.indexes.length * INDEX_NODE;
  // Two numbers for each place with free pages, and each removed record may leave one.
  const freed = 16 * (freedPages(pages, { append, remove }) + remove.length);
  return changedPages(pages, changes) + (added + freed) / pages.size;
}

/** Each leaf that changes, and what leads to it, may be split, or take from the one beside it. */
function changedPages({ records, indexes }: FilePages, changes: number): number {
  if (changes === 0) return 0;
  return [records, ...indexes].reduce(
    (sum, { treeDepth, treeBranchPageCount, treeLeafPageCount }) =>
      sum + 2 * (Math.min(changes, treeLeafPageCount) + Math.min(changes * treeDepth, treeBranchPageCount) + 1),
    0,
  );
}

/** Records of more than half a page have pages of their own. */
function largePages(bytes: number, pageSize: number): number {
  return 2 * (bytes + NODE) > pageSize ? Math.ceil((bytes + NODE) / pageSize) : 0;
}

/** Free pages that LMDB can use now. */
function usablePages({ size, count, records, indexes, others, resting }: FilePages): number {
  const used = [records, ...indexes, ...others].reduce((sum, tree) => sum + pagesOf(tree), META_PAGES);
  // Where an id or a key comes again and again, its places have pages that are not told.
  const untold = indexes.reduce((sum, { entryCount }) => sum + (entryCount * INDEX_NODE) / 2 / size, 0);
  return Math.max(0, count - used - untold - resting);
}

function pagesOf({ treeBranchPageCount, treeLeafPageCount, overflowPages }: Tree): number {
  return treeBranchPageCount + treeLeafPageCount + overflowPages;
}

function larger(one: number, other: number): number {
  return Math.max(one, other);
}
