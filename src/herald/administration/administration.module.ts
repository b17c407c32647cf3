import {
  type CanActivate,
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { Bodies } from '../../hub/http/bodies/bodies.js';
import { keepBodiesUnparsed } from '../../hub/http/bodies/unparsed-bodies.js';
import { globalPrefixOf } from '../module/global-prefix.js';
import { type AroundHub, HUB_PARTS, type HubParts, importedParts } from '../module/hub-parts.js';
import { ownController } from '../module/own-controller.js';
import { AdminController } from './admin.controller.js';
import { DrainController } from './drain.controller.js';
import { ExplainController } from './explain.controller.js';
import { Processes } from './processes.js';
import { UpdatesController } from './updates.controller.js';

export interface HeraldAdministrationOptions extends AroundHub {
  /** The path that its routes are below, and that is below the application's global prefix. Default: `admin`. */
  readonly path?: string;
  /** In place of `HubAdminGuard`, which may be among them. */
  readonly guards?: readonly Type<CanActivate>[];
  /** Applied to each of its controllers, such as one by which the application's own global guard passes them over. */
  readonly decorators?: readonly ClassDecorator[];
}

const USUAL_PATH = 'admin';

const CONTROLLERS: readonly Type[] = [AdminController, UpdatesController, ExplainController, DrainController];

/** The injection token of the path that the routes are below. */
const ADMINISTRATION_PATH = Symbol('the path of administration');

/**
 * Routes for the administrators of a hub: they list and end connections, revoke tokens, take updates out of the history,
 * explain who has got what, and have this process left alone. It also tells the other processes of the hub of this one.
 *
 *     const hub = HeraldModule.forRoot({ hubUrl: 'https://example.com/.well-known/mercure' });
 *     @Module({ imports: [hub, HeraldAdministrationModule.forRoot({ imports: [hub] })] })
 */
@Module({})
export class HeraldAdministrationModule implements OnApplicationBootstrap {
  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly host: HttpAdapterHost,
    @Inject(ADMINISTRATION_PATH) private readonly path: string,
  ) {}

  static forRoot(options: HeraldAdministrationOptions = {}): DynamicModule {
    const { name, imports = [], path = USUAL_PATH, guards, decorators = [] } = options;
    return {
      module: HeraldAdministrationModule,
      imports: [...imports],
      controllers: CONTROLLERS.map((controller) =>
        ownController(controller, { usual: USUAL_PATH, path, guards, decorators }),
      ),
      providers: [
        importedParts(name),
        // The same one as the hub's, which Nest calls no hook of, so that both count the bytes of their bodies together.
        { provide: Bodies, inject: [HUB_PARTS], useFactory: ({ bodies }: HubParts) => bodies },
        { provide: ADMINISTRATION_PATH, useValue: path },
        Processes,
      ],
    };
  }

  /** On Fastify the hub's own module sees to it. */
  onApplicationBootstrap(): void {
    const path = `${globalPrefixOf(this.moduleRef)}/${this.path.replaceAll(/^\/+|\/+$/g, '')}`;
    keepBodiesUnparsed(this.host.httpAdapter, [`${path}/revocations`]);
  }
}
