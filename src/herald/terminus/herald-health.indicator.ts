import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { type HubParts, partsToken } from '../module/hub-parts.js';

/**
 * Whether this process should be sent traffic. It should not while it can't publish, nor once it is to be left alone. As a
 * provider it is about the hub without a name; `heraldHealth(name)` provides that of another one.
 */
@Injectable()
export class HeraldHealthIndicator {
  /** @internal Nest calls it. */
  constructor(
    private readonly indicators: HealthIndicatorService,
    @Inject(partsToken()) private readonly parts: Pick<HubParts, 'hub' | 'drain'>,
  ) {}

  /** Both of the below in one. */
  isHealthy<const Key extends string>(key: Key): HealthIndicatorResult<Key> {
    return this.result(key, this.ending ?? this.parts.hub.obstacle);
  }

  /** Down once the streams of this process are let go: `draining`, or `stopping` where there is no way back. */
  isServing<const Key extends string>(key: Key): HealthIndicatorResult<Key> {
    return this.result(key, this.ending);
  }

  /** Down while the journal is known not to store anything, and says why: `away`, `full` or `refusing`. */
  canPublish<const Key extends string>(key: Key): HealthIndicatorResult<Key> {
    return this.result(key, this.parts.hub.obstacle);
  }

  private get ending(): string | undefined {
    const { drain } = this.parts;
    if (drain.state === 'serving') return undefined;
    return drain.isFinal ? 'stopping' : 'draining';
  }

  private result<const Key extends string>(key: Key, reason: string | undefined): HealthIndicatorResult<Key> {
    const indicator = this.indicators.check(key);
    return reason === undefined ? indicator.up() : indicator.down(reason);
  }
}
