import { MemoryJournal } from '../../src/storage/journal/memory/memory-journal.js';
import { describeJournal } from './contract.js';

describeJournal({ name: 'memory', open: (retention, now) => Promise.resolve(new MemoryJournal(retention, now)) });
