import type { Config } from '../../config/config.js';
import { type Finding, finding } from './finding.js';

/** Looks at the journal, and changes nothing there. What one engine needs is loaded only where it is used. */
export async function journalFindings({ hub, production }: Config): Promise<Finding[]> {
  const { journal } = hub;
  const [scheme = ''] = journal.url.split(':', 1);
  if (scheme === 'memory') return [ofMemory(production)];
  if (scheme === 'lmdb') {
    const { lmdbFindings } = await import('./lmdb-findings.js');
    return lmdbFindings(journal.url.slice('lmdb:'.length), journal.retention.bytes + journal.presenceRetention.bytes);
  }
  const { redisFindings } = await import('./redis-findings.js');
  return redisFindings(journal);
}

function ofMemory(production: boolean): Finding {
  const seen = 'updates are kept in memory, and are gone after a restart';
  return production
    ? finding('journal', 'warn', seen, 'set HERALD_JOURNAL=lmdb:PATH or redis://… to keep them')
    : finding('journal', 'ok', seen);
}
