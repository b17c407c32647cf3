import { MemoryJournal } from '../../src/journal/memory-journal.js';
import { describeJournal } from './contract.js';

describeJournal({ name: 'memory', open: (retention, now) => Promise.resolve(new MemoryJournal(retention, now)) });
