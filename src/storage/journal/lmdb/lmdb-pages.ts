/** LMDB's statistics of a B-tree. */
export interface Tree {
  readonly treeDepth: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
  readonly entryCount: number;
}

/** The pages of an LMDB file that has a table of records, and indexes with at most one item for each record. */
export interface FilePages {
  /** Bytes of a page. */
  readonly size: number;
  readonly count: number;
  readonly records: Tree;
  readonly indexes: readonly Tree[];
  /** LMDB's own trees: that of its tables, and that of the free pages. */
  readonly others: readonly Tree[];
  /**
   * Upper bound of the pages that the last two commits have freed: LMDB uses a freed page again from the next commit
   * but one on.
   */
  readonly resting: number;
}

/** The sizes of the records that a change appends and removes. Bytes. */
export interface Amounts {
  readonly append: readonly number[];
  readonly remove: readonly number[];
}

/** The most trimmed entries that are removed in one commit that appends nothing. */
export const SWEEP_ENTRIES = 256;

/** Bytes that a record takes besides its own, and that an index takes for a record, when pages are half full. */
const NODE = 32;
const INDEX_NODE = 128;

/** The first two pages of each file. */
const META_PAGES = 2;

/** Allowance for the list of free pages and for the roots of the trees. */
const OTHER_PAGES = 64;

/**
 * The most pages by which a change may make the file grow. LMDB writes whatever changes to other pages, free ones if
 * there are any. A large record needs pages that lie together; whether free ones do is not known, so all pages of large
 * records count as growth.
 *
 * An append also leaves room for two sweeps, whose freed pages the third one can use, and for one more record as large
 * as its largest after them, so that trimming can make room for updates even on a full disk.
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
  // The list of free pages takes two numbers for each run of them, and each removed record may leave a run.
  const freed = 16 * (freedPages(pages, { append, remove }) + remove.length);
  return changedPages(pages, changes) + (added + freed) / pages.size;
}

/**
 * Each leaf that changes, and each branch page above it, may be split or take items from its neighbour, so it counts
 * twice.
 */
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
  // The statistics leave out the pages of an index that hold the positions of an id or key that is used again and
  // again.
  const untold = indexes.reduce((sum, { entryCount }) => sum + (entryCount * INDEX_NODE) / 2 / size, 0);
  return Math.max(0, count - used - untold - resting);
}

function pagesOf({ treeBranchPageCount, treeLeafPageCount, overflowPages }: Tree): number {
  return treeBranchPageCount + treeLeafPageCount + overflowPages;
}

function larger(one: number, other: number): number {
  return Math.max(one, other);
}
