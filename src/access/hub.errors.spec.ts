import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { HttpException } from '@nestjs/common';
import { JournalFullError, JournalUnavailableError } from '../storage/journal/journal.js';
import { HUB_ERRORS, HubError } from './hub.errors.js';

const HUB_ERROR_STATUS = Object.fromEntries(Object.entries(HUB_ERRORS).map(([code, { status }]) => [code, status]));

describe('the status of a refusal', () => {
  it('is one of the statuses that the protocol gives it', () => {
    expect(new Set(Object.values(HUB_ERROR_STATUS))).toEqual(
      new Set([400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 417, 422, 429, 431, 503, 505, 507]),
    );
  });

  it('stands with its code in the documents', () => {
    const document = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
    const rows = [...document.matchAll(/^\| (\d{3}) +\|[^|]*\|([^|]*)\|$/gm)];
    const written = rows.flatMap(([, status, codes = '']) =>
      codes.split(',').map((code) => [code.trim().replaceAll('`', ''), Number(status)]),
    );
    expect(Object.fromEntries(written)).toEqual(HUB_ERROR_STATUS);
  });

  it('R38, R15: is 413 above a limit of publishing, 400 above one of subscribing', () => {
    expect(HUB_ERROR_STATUS).toMatchObject({
      'body-too-large': 413,
      'topics-too-many': 413,
      'topic-too-long': 413,
      'matchers-too-many': 400,
      'matcher-too-long': 400,
    });
  });
});

describe("a refusal in an application's own filters", () => {
  it('is an HttpException, whose response is the problem document', () => {
    const cause = new Error('the cause');
    const limit = { count: 3, bytes: 10 };
    const error = new HubError('matchers-too-many', 'Ask for less.', { limit, cause });
    expect(error).toBeInstanceOf(HttpException);
    expect(error).toMatchObject({
      name: 'HubError',
      message: 'Ask for less.',
      code: 'matchers-too-many',
      limit,
      cause,
    });
    expect(error.getStatus()).toBe(400);
    const problem = { status: 400, title: 'Bad Request', code: 'matchers-too-many', detail: 'Ask for less.', limit };
    expect(error.getResponse()).toEqual(problem);
    expect(error.stack).toMatch(/^HubError: Ask for less\.\n/);
  });

  it("has the status of its code also where it is the journal's", () => {
    for (const Refusal of [JournalUnavailableError, JournalFullError]) {
      const error = new Refusal('Try again later.', { cause: new Error('secret') });
      expect(error.getStatus()).toBe(HUB_ERRORS[error.code].status);
      expect(error.getResponse()).toMatchObject({ status: error.getStatus(), code: error.code, detail: error.message });
      expect(JSON.stringify(error.getResponse())).not.toContain('secret');
      expect(error).toBeInstanceOf(JournalUnavailableError);
      expect(error.name).toBe(Refusal.name);
      expect(error.stack).toContain('Error: Try again later.');
    }
  });
});
