import { MemoryJournal } from '../../src/storage/journal/memory/memory-journal.js';
import { TOOLS } from '../support/contract-tools.js';
import { describeJournal, type Engine } from '../../src/contracts/journal.js';
import { describeTopics } from '../../src/contracts/topics.js';
import { describePresence } from '../../src/contracts/presence.js';

const memory: Engine = {
  name: 'memory',
  open: (retention, now, presence) => Promise.resolve(new MemoryJournal(retention, now, presence)),
};

describeJournal(TOOLS, memory);
describePresence(TOOLS, memory);
describeTopics(TOOLS, {
  name: 'memory',
  open: (retention, now, presence, addresses) =>
    Promise.resolve(new MemoryJournal(retention, now, presence, addresses)),
});
