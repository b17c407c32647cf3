import type { Scenario } from '../support/scenario.js';
import { fullDisk } from './full-disk.js';
import { kill } from './kill.js';
import { trim } from './trim.js';

export const ALL_SCENARIOS: readonly Scenario[] = [kill, trim, fullDisk];
