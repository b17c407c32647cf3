import { describe, expect, it } from '@jest/globals';
import { messageOf } from './message-of.js';

describe('messageOf', () => {
  it.each([
    ['the message', new Error('it broke'), 'it broke'],
    [
      'all messages of an error that is several',
      new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused'), new Error('::1 refused')]),
      '::1 refused, 127.0.0.1 refused',
    ],
    [
      'the reason of an error of OpenSSL',
      Object.assign(new Error('80FC:error:0A00045C:SSL routines:read_bytes:x\n'), { reason: 'certificate required' }),
      'certificate required',
    ],
    [
      'the message without its full stop',
      new Error('NOAUTH Authentication required.'),
      'NOAUTH Authentication required',
    ],
    ['the code where there is no message', Object.assign(new Error(''), { code: 'ECONNRESET' }), 'ECONNRESET'],
    ['the name where there is nothing else', new TypeError(''), 'TypeError'],
    ['what was thrown, where that is no error', 'enough', 'enough'],
  ])('is %s', (_, error, message) => {
    expect(messageOf(error)).toBe(message);
  });
});
