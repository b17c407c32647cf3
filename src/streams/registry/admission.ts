import { Logger } from '@nestjs/common';
import { networkOf } from '../../shared/network.js';
import { RepeatedLines } from '../../shared/log/repeated-lines.js';
import type { StreamInfo } from './stream-info.js';

/** How many streams may be open at once; 0 or undefined is no limit. */
export interface AdmissionLimits {
  readonly maxConnections: number | undefined;
  readonly maxConnectionsPerAddress: number;
  readonly maxConnectionsPerSubject: number;
}

const FULL =
  'streams are refused, because as many are open as may be: raise HERALD_MAX_CONNECTIONS, or the limit on open files (ulimit -n)';

/**
 * Counts the streams of each address and each subject, where there is a limit on them. Addresses of IPv6 count by their
 * network, because a client has all addresses of one.
 */
export class Admission {
  private readonly addresses = new Counts();
  private readonly subjects = new Counts();

  private readonly limits: AdmissionLimits;
  private readonly logger = new Logger('Streams');
  private readonly lines = new RepeatedLines((line) => this.logger.warn(line));

  constructor(limits: Partial<AdmissionLimits>) {
    this.limits = { maxConnections: 0, maxConnectionsPerAddress: 0, maxConnectionsPerSubject: 0, ...limits };
  }

  admits({ address, caller }: StreamInfo, open: number): boolean {
    const { maxConnections, maxConnectionsPerAddress, maxConnectionsPerSubject } = this.limits;
    if (!isBelow(open, maxConnections)) {
      this.lines.log({ msg: FULL, streams: maxConnections });
      return false;
    }
    return (
      (maxConnectionsPerAddress === 0 || isBelow(this.addresses.of(networkOf(address)), maxConnectionsPerAddress)) &&
      (caller.subject === undefined || isBelow(this.subjects.of(subjectOf(caller)), maxConnectionsPerSubject))
    );
  }

  enter({ address, caller }: StreamInfo): void {
    if (this.limits.maxConnectionsPerAddress > 0) this.addresses.add(networkOf(address), 1);
    if (this.limits.maxConnectionsPerSubject > 0 && caller.subject !== undefined) {
      this.subjects.add(subjectOf(caller), 1);
    }
  }

  leave({ address, caller }: StreamInfo): void {
    if (this.limits.maxConnectionsPerAddress > 0) this.addresses.add(networkOf(address), -1);
    if (this.limits.maxConnectionsPerSubject > 0 && caller.subject !== undefined) {
      this.subjects.add(subjectOf(caller), -1);
    }
  }
}

/** Names a subject, which is unique only together with its issuer. */
function subjectOf({ issuer = '', subject = '' }: StreamInfo['caller']): string {
  return JSON.stringify([issuer, subject]);
}

function isBelow(count: number, limit = 0): boolean {
  return limit === 0 || count < limit;
}

/** Counts by name. A name whose count is 0 takes no memory. */
class Counts {
  private readonly counts = new Map<string, number>();

  of(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  add(name: string, difference: number): void {
    const count = this.of(name) + difference;
    if (count > 0) this.counts.set(name, count);
    else this.counts.delete(name);
  }
}
