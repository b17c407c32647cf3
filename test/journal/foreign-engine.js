/*
 * An engine as somebody else would write it, and its tests: with what the package exports, and no test runner but Node's own.
 * Run by foreign-engine.spec.ts. With the argument `careless` it stores what it has already.
 */
import { afterEach, beforeEach, describe, it } from 'node:test';
import process from 'node:process';
import { expect } from 'expect';
import fc from 'fast-check';
import { describeJournal, describePresence, describeTopics } from '../../dist/server/contracts/index.js';
import { Journal } from '../../dist/server/herald/index.js';
import { MemoryJournal } from '../../dist/server/storage/journal/memory/memory-journal.js';

const isCareless = process.argv.includes('careless');

/** Keeps everything in another journal, as one would that logs or encrypts. */
class WrappingJournal extends Journal {
  constructor(inner) {
    super();
    this.inner = inner;
  }

  get head() {
    return this.inner.head;
  }

  get oldest() {
    return this.inner.oldest;
  }

  get oldestPresence() {
    return this.inner.oldestPresence;
  }

  get lastId() {
    return this.inner.lastId;
  }

  get secret() {
    return this.inner.secret;
  }

  get retention() {
    return this.inner.retention;
  }

  get topics() {
    return this.inner.topics;
  }

  append(update, options) {
    return this.inner.append(update, isCareless ? {} : options);
  }

  appendPresence(record, options) {
    return this.inner.appendPresence(record, options);
  }

  read(after, limit) {
    return this.inner.read(after, limit);
  }

  readAt(positions) {
    return this.inner.readAt(positions);
  }

  locate(eventId) {
    return this.inner.locate(eventId);
  }

  tail(from, listener, onReset) {
    return this.inner.tail(from, listener, onReset);
  }

  remove(positions) {
    return this.inner.remove(positions);
  }

  onRemoved(listener) {
    return this.inner.onRemoved(listener);
  }

  close() {
    return this.inner.close();
  }
}

const tools = { describe, it, beforeEach, afterEach, expect, fc };

const engine = {
  name: 'wrapping',
  open: (...options) => Promise.resolve(new WrappingJournal(new MemoryJournal(...options))),
};

describeJournal(tools, engine);
describePresence(tools, engine);
describeTopics(tools, engine);
