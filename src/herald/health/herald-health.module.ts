import { type DynamicModule, Module } from '@nestjs/common';
import { HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import { type AroundHub, HUB_PARTS, type HubParts, importedParts } from '../module/hub-parts.js';
import { ownController } from '../module/own-controller.js';
import { HeraldHealthIndicator } from '../terminus/herald-health.indicator.js';
import { HEALTH_PATH, HealthController } from './health.controller.js';

/** Which hub the checks are about, and where they are. */
export interface HeraldHealthOptions extends AroundHub {
  /** What both checks are below, and itself below the application's global prefix. Default: `health`. */
  readonly path?: string;
  /** Applied to the controller, such as one by which the application's own global guard passes it over. */
  readonly decorators?: readonly ClassDecorator[];
}

/**
 * `GET /health/live` and `GET /health/ready` of a process with a hub, open to anybody. It takes `@nestjs/terminus`, but not
 * the settings that an application may have made there.
 *
 *     HeraldHealthModule.forRoot({ imports: [hub] })
 */
@Module({})
export class HeraldHealthModule {
  static forRoot(options: HeraldHealthOptions = {}): DynamicModule {
    const { name, imports = [], path = HEALTH_PATH, decorators = [] } = options;
    return {
      module: HeraldHealthModule,
      // The readiness check's failures are answers, not incidents: they belong in the response, not in the log.
      imports: [...imports, TerminusModule.forRoot({ logger: false })],
      controllers: [ownController(HealthController, { usual: HEALTH_PATH, path, decorators })],
      providers: [
        importedParts(name),
        { provide: HeraldHealthIndicator, inject: [HealthIndicatorService, HUB_PARTS], useFactory: toIndicator },
      ],
    };
  }
}

function toIndicator(indicators: HealthIndicatorService, parts: HubParts): HeraldHealthIndicator {
  return new HeraldHealthIndicator(indicators, parts);
}
