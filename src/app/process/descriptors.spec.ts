import { describe, expect, it } from '@jest/globals';
import { roomForSockets } from './descriptors.js';

const limits = (files: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${files}                 1048576              files\n`;

describe('the room for sockets', () => {
  it.each([
    ['1048576', { sockets: 1_048_448, streams: 943_604, heldRefusals: 20_971 }],
    ['1024', { sockets: 896, streams: 807, heldRefusals: 20 }],
    ['100', { sockets: 50, streams: 45, heldRefusals: 2 }],
  ])('with %s open files is what the reserve leaves', (files, room) => {
    expect(roomForSockets(() => limits(files))).toEqual(room);
  });

  it('is not known where the system does not tell', () => {
    expect(roomForSockets(() => limits('unlimited'))).toBeUndefined();
    expect(
      roomForSockets(() => {
        throw new Error('ENOENT');
      }),
    ).toBeUndefined();
  });
});
