import { Inject, type InjectionToken, type Provider } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { type HubParts, partsToken } from '../module/hub-parts.js';
import { HeraldHealthIndicator } from './herald-health.indicator.js';

/** The injection token of the indicator for the hub with this name; without a name it is the class itself. */
export const heraldHealthToken = (name?: string): InjectionToken<HeraldHealthIndicator> =>
  name === undefined ? HeraldHealthIndicator : `herald hub health ${name}`;

/** Injects the {@link HeraldHealthIndicator} of the hub with this name, or of the one without a name. */
export const InjectHeraldHealth = (name?: string): ParameterDecorator & PropertyDecorator =>
  Inject(heraldHealthToken(name));

/** Provides that indicator, beside `TerminusModule`, in a module that the hub is imported by or global for. */
export function heraldHealth(name?: string): Provider {
  if (name === undefined) return HeraldHealthIndicator;
  return {
    provide: heraldHealthToken(name),
    inject: [HealthIndicatorService, partsToken(name)],
    useFactory: (indicators: HealthIndicatorService, parts: HubParts) => new HeraldHealthIndicator(indicators, parts),
  };
}
