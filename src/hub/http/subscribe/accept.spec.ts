import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HubError } from '../../../access/hub.errors.js';
import { checkAccept } from './accept.js';

describe('checkAccept', () => {
  it.each([
    undefined,
    '',
    ' ',
    '*/*',
    'text/*',
    'text/event-stream',
    'TEXT/Event-Stream; charset=utf-8',
    'text/html, text/event-stream;q=0.1',
    'text/html, */*;q=0.001',
    'text/event-stream, */*;q=0',
    'text/event-stream;q=1, text/*;q=0',
    // A header that can't be read is no preference.
    'event-stream',
    'text/html;q="a,b"',
    'text/event-stream;q=',
    'text/event-stream;q=none',
  ])('takes "%s"', (accept) => {
    expect(() => checkAccept(accept)).not.toThrow();
  });

  it.each([
    'text/html',
    'application/json, text/plain',
    'text/event-stream;q=0',
    'text/event-stream;q=0.000, */*',
    'text/event-stream; Q=0, text/*;q=1',
    'text/*;q=0, */*',
    '*/*;q=0',
    'image/*',
  ])('refuses "%s"', (accept) => {
    expect(() => checkAccept(accept)).toThrow(expect.objectContaining({ code: 'not-acceptable' }));
  });

  it('says nothing else, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string(), (accept) => {
        try {
          checkAccept(accept);
          return true;
        } catch (error) {
          return error instanceof HubError;
        }
      }),
    );
  });
});
