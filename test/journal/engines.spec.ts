import { MemoryJournal } from '../../src/storage/journal/memory/memory-journal.js';
import { describeJournal, type Engine } from './contract.js';
import { describeTopics } from './topics-contract.js';
import { describePresence } from './presence-contract.js';

const memory: Engine = {
  name: 'memory',
  open: (retention, now, presence) => Promise.resolve(new MemoryJournal(retention, now, presence)),
};

describeJournal(memory);
describePresence(memory);
describeTopics({
  name: 'memory',
  open: (retention, now, presence, addresses) =>
    Promise.resolve(new MemoryJournal(retention, now, presence, addresses)),
});
