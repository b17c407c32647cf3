import { describe, expect, it } from '@jest/globals';
import { Admission } from './admission.js';
import type { Caller } from '../../access/caller.js';
import type { StreamInfo } from './stream-info.js';

function from(address: string, caller: Caller = {}): StreamInfo {
  return { requestId: 'r', address, caller };
}

describe('Admission', () => {
  it('knows no limit where none is set', () => {
    const admission = new Admission({});
    for (let index = 0; index < 10_000; index += 1) admission.enter(from('a', { subject: 's' }));
    expect(admission.admits(from('a', { subject: 's' }), 10_000)).toBe(true);
  });

  it('counts all of them', () => {
    const admission = new Admission({ maxConnections: 2 });
    expect(admission.admits(from('a'), 1)).toBe(true);
    expect(admission.admits(from('a'), 2)).toBe(false);
  });

  it('counts those of one address, and has room again when one leaves', () => {
    const admission = new Admission({ maxConnectionsPerAddress: 1 });
    admission.enter(from('a'));
    expect(admission.admits(from('a'), 1)).toBe(false);
    expect(admission.admits(from('b'), 1)).toBe(true);
    admission.leave(from('a'));
    expect(admission.admits(from('a'), 0)).toBe(true);
  });

  it('counts those of one subject, who is somebody only together with the issuer', () => {
    const admission = new Admission({ maxConnectionsPerSubject: 1 });
    admission.enter(from('a', { issuer: 'i', subject: 's' }));
    expect(admission.admits(from('b', { issuer: 'i', subject: 's' }), 1)).toBe(false);
    expect(admission.admits(from('b', { issuer: 'j', subject: 's' }), 1)).toBe(true);
    expect(admission.admits(from('b', { subject: 's' }), 1)).toBe(true);
    expect(admission.admits(from('a'), 1)).toBe(true);
  });

  it('takes nobody in particular for nobody else', () => {
    const admission = new Admission({ maxConnectionsPerSubject: 1 });
    admission.enter(from('a'));
    admission.enter(from('a', { issuer: 'i' }));
    expect(admission.admits(from('a', { subject: '' }), 2)).toBe(true);
    expect(admission.admits(from('a', { issuer: 'i', subject: '' }), 2)).toBe(true);
    admission.enter(from('a', { issuer: 'i\nj', subject: 'k' }));
    expect(admission.admits(from('a', { issuer: 'i', subject: 'j\nk' }), 3)).toBe(true);
  });

  it('never counts below nothing', () => {
    const admission = new Admission({ maxConnectionsPerAddress: 1 });
    admission.leave(from('a'));
    admission.enter(from('a'));
    expect(admission.admits(from('a'), 1)).toBe(false);
  });
});
