import type { Revocation } from '../../access/token-revocations.js';
import { Revocations } from '../../auth/revocations/revocations.js';
import type { SharedState } from '../../storage/state/shared-state.js';
import type { StreamRegistry } from '../../streams/registry/stream-registry.js';
import type { TestHub } from './test-hub.js';

/** Grants of a unit test need not say when they were issued, so that a revocation holds until the module is closed. */
const OPTIONS = { legacy: true, maxTokenAge: Infinity };

/** Revocations of a unit test: they go by what the grants say of whom they are for. */
export class TestRevocations extends Revocations {
  constructor(
    private readonly hub: TestHub,
    state: SharedState,
    streams: StreamRegistry,
  ) {
    super(state, streams, OPTIONS);
  }

  /** Resolves with the number of test readers that are ended. */
  override async add(revocation: Revocation): Promise<number> {
    await super.add(revocation);
    return this.hub.endBarred();
  }
}
