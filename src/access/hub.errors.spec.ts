import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { HUB_ERRORS } from './hub.errors.js';

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
