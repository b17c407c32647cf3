import { type CanActivate, type DynamicModule, Module, type Type } from '@nestjs/common';
import { type AroundHub, importedParts } from '../module/hub-parts.js';
import { ownController } from '../module/own-controller.js';
import { EXPOSITION, HubMetrics } from './hub-metrics.js';
import { loadExposition } from './load-exposition.js';
import { METRICS_PATH, MetricsController } from './metrics.controller.js';

/** Where the metrics of a hub are, who gets them, and what is among them. */
export interface HeraldMetricsOptions extends AroundHub {
  /** Below the application's global prefix, as its own routes are. Default: `metrics`. */
  readonly path?: string;
  /** In place of `HubAdminGuard`, which lets the hub's administrators in, and which may be among them. */
  readonly guards?: readonly Type<CanActivate>[] | undefined;
  /** Applied to the controller, such as one by which the application's own global guard passes it over. */
  readonly decorators?: readonly ClassDecorator[];
  /**
   * Whether what belongs to the whole process is among them: its memory, its processor time, its event loop, and what all of
   * its hubs have refused. Default: yes.
   */
  readonly process?: boolean;
}

/**
 * `GET /metrics` of a hub. Several hubs have theirs at a path each, by the same names. It takes `prom-client`, but nothing of
 * the registry that an application may have there.
 *
 *     HeraldMetricsModule.forRoot({ imports: [hub] })
 */
@Module({})
export class HeraldMetricsModule {
  static forRoot(options: HeraldMetricsOptions = {}): DynamicModule {
    const { name, imports = [], path = METRICS_PATH, guards, decorators = [], process: hasProcess = true } = options;
    return {
      module: HeraldMetricsModule,
      imports,
      controllers: [ownController(MetricsController, { usual: METRICS_PATH, path, guards, decorators })],
      providers: [
        importedParts(name),
        { provide: EXPOSITION, useFactory: () => loadExposition({ hasProcess }) },
        HubMetrics,
      ],
      exports: [HubMetrics],
    };
  }
}
