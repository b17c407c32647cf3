import type { Config } from '../../config/config.js';
import type { Finding } from './finding.js';
import { journalFindings } from './journal-findings.js';
import { keyFindings } from './key-findings.js';

/** What `herald check` looks at besides the variables: keys and journal. Nothing is changed or locked. */
export async function ownFindings(config: Config): Promise<Finding[]> {
  const [keys, journal] = await Promise.all([keyFindings(config), journalFindings(config)]);
  return [...keys, ...journal];
}
