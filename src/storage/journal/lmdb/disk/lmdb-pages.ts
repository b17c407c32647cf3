/** LMDB's statistics of a B-tree. */
export interface Tree {
  readonly treeDepth: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
  readonly entryCount: number;
}

/** A table of records, and indexes with at most one item for each record. */
export interface TableTrees {
  readonly records: Tree;
  readonly indexes: readonly Tree[];
}

/** A tree with the sizes of the rows that a change puts into it and removes from it, each in a place of its own. Bytes. */
interface ChangedIndex {
  readonly tree: Tree;
  readonly put: readonly number[];
  readonly remove: readonly number[];
}

/** What a change of the file's tables does to their trees. */
export interface PageChanges {
  readonly tables: readonly ChangedTable[];
  /** The index of topics, once there is one. */
  readonly topics?: ChangedIndex | undefined;
  /** Whether the change has to leave the room that trimming needs. */
  readonly leavesRoom: boolean;
}

/** A table with the sizes of the records that a change appends to it and removes from it. Bytes. */
export interface ChangedTable extends TableTrees {
  readonly append: readonly number[];
  readonly remove: readonly number[];
}

/** The pages of an LMDB file. */
export interface FilePages {
  /** Bytes of a page. */
  readonly size: number;
  readonly count: number;
  /** LMDB's own trees: that of its tables, and that of the free pages. */
  readonly others: readonly Tree[];
  /**
   * Upper bound of the pages that the last two commits have freed: LMDB uses a freed page again from the next commit
   * but one on.
   */
  readonly resting: number;
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
 * The most pages by which a change of the file's tables may make the file grow. LMDB writes whatever changes to other
 * pages, free ones if there are any. A large record needs pages that lie together; whether free ones do is not known, so
 * all pages of large records count as growth.
 *
 * A change that leaves room leaves it for two sweeps, whose freed pages the third one can use, and for one more record
 * as large as its largest after them, so that trimming can make room for updates even on a full disk. A sweep needs no
 * change of the index of topics.
 */
export function pagesFor(pages: FilePages, { tables, topics, leavesRoom }: PageChanges): number {
  const all = [...tables, ...indexAsTable(topics)];
  const large = all.flatMap(({ append }) => append.map((size) => largePages(size, pages.size)));
  const single = sumOf(all, (table) => singlePages(table, pages.size));
  const later = 2 * sumOf(tables, (table) => changedPages(table, SWEEP_ENTRIES)) + large.reduce(larger, 0);
  const taken = single + (leavesRoom ? later : 0);
  return Math.ceil(OTHER_PAGES + sumOf(large, (count) => count) + Math.max(0, taken - usablePages(pages, all)));
}

/** How many pages a change of the tables frees at most. */
export function freedPages({ size }: FilePages, { tables, topics }: PageChanges): number {
  return sumOf([...tables, ...indexAsTable(topics)], (table) => freedOf(table, size));
}

/** A table without indexes. */
function indexAsTable(topics: ChangedIndex | undefined): readonly ChangedTable[] {
  return topics ? [{ records: topics.tree, indexes: [], append: topics.put, remove: topics.remove }] : [];
}

function freedOf(table: ChangedTable, pageSize: number): number {
  const { append, remove } = table;
  return sumOf(remove, (size) => largePages(size, pageSize)) + changedPages(table, append.length + remove.length);
}

function singlePages(table: ChangedTable, pageSize: number): number {
  const { append, remove, indexes } = table;
  const small = sumOf(append, (size) => (largePages(size, pageSize) > 0 ? 0 : 2 * (size + NODE)));
  const added = small + append.length * indexes.length * INDEX_NODE;
  // The list of free pages takes two numbers for each run of them, and each removed record may leave a run.
  const freed = 16 * (freedOf(table, pageSize) + remove.length);
  return changedPages(table, append.length + remove.length) + (added + freed) / pageSize;
}

/**
 * Each leaf that changes, and each branch page above it, may be split or take items from its neighbour, so it counts
 * twice.
 */
function changedPages(table: TableTrees, changes: number): number {
  if (changes === 0) return 0;
  return sumOf(
    treesOf(table),
    ({ treeDepth, treeBranchPageCount, treeLeafPageCount }) =>
      2 * (Math.min(changes, treeLeafPageCount) + Math.min(changes * treeDepth, treeBranchPageCount) + 1),
  );
}

/** Records of more than half a page have pages of their own. */
function largePages(bytes: number, pageSize: number): number {
  return 2 * (bytes + NODE) > pageSize ? Math.ceil((bytes + NODE) / pageSize) : 0;
}

/** Free pages that LMDB can use now. */
function usablePages({ size, count, others, resting }: FilePages, tables: readonly TableTrees[]): number {
  const used = META_PAGES + sumOf([...tables.flatMap(treesOf), ...others], pagesOf);
  // The statistics leave out the pages of an index that hold the positions of an id or key that is used again and
  // again.
  const indexes = tables.flatMap((table) => table.indexes);
  const untold = sumOf(indexes, ({ entryCount }) => (entryCount * INDEX_NODE) / 2 / size);
  return Math.max(0, count - used - untold - resting);
}

function treesOf({ records, indexes }: TableTrees): readonly Tree[] {
  return [records, ...indexes];
}

function pagesOf({ treeBranchPageCount, treeLeafPageCount, overflowPages }: Tree): number {
  return treeBranchPageCount + treeLeafPageCount + overflowPages;
}

function larger(one: number, other: number): number {
  return Math.max(one, other);
}

function sumOf<T>(all: readonly T[], amountOf: (one: T) => number): number {
  return all.reduce((sum, one) => sum + amountOf(one), 0);
}
