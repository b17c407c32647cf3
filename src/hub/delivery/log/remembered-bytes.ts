import { getHeapStatistics } from 'node:v8';

/** Bytes that each of the delivery's caches may take: less in a small heap, which has several of them. */
export const REMEMBERED_BYTES = Math.min(16 * 1024 ** 2, Math.floor(getHeapStatistics().heap_size_limit / 32));
