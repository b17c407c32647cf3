import {
  type CanActivate,
  type ExecutionContext,
  type FactoryProvider,
  Inject,
  Injectable,
  type InjectionToken,
  type ModuleMetadata,
  type Provider,
} from '@nestjs/common';
import { AdminGuard } from '../../auth/tokens/admin.guard.js';
import { Bodies } from '../../hub/http/bodies/bodies.js';
import { MetadataAddress } from '../../hub/http/hub-error.filter.js';
import { ExplainService } from '../../hub/service/explain.service.js';
import { HistoryService } from '../../hub/service/history.service.js';
import { HUB_OPTIONS, type HubOptions } from '../../hub/service/hub.options.js';
import { HubService } from '../../hub/service/hub.service.js';
import { SharedState } from '../../storage/state/shared-state.js';
import { Drain } from '../../streams/drain/drain.js';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';

/** Which hub a module stands around: administration, metrics and the like. */
export interface AroundHub {
  /** The hub's `name`. Default: the one without a name. */
  readonly name?: string | undefined;
  /**
   * The hub's module, the same object as among the imports of the application, unless it is global; and the modules that
   * guards of your own get their dependencies from.
   */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
}

/** What a module around a hub needs of it. It is one object, because the classes of several hubs are the same. */
export interface HubParts {
  readonly hub: HubService;
  readonly history: HistoryService;
  readonly explanations: ExplainService;
  readonly streams: StreamRegistry;
  readonly drain: Drain;
  readonly state: SharedState;
  readonly adminGuard: AdminGuard;
  readonly options: HubOptions;
  readonly bodies: Bodies;
  readonly metadata: MetadataAddress;
}

/** The injection token of {@link HubParts} within a module around a hub. */
export const HUB_PARTS = Symbol('the parts of the hub');

/** The token under which a hub exports its parts. */
export const partsToken = (name?: string): InjectionToken<HubParts> => `herald hub parts ${name ?? ''}`;

/** What each part is in the hub's own module. */
const TOKENS = {
  hub: HubService,
  history: HistoryService,
  explanations: ExplainService,
  streams: StreamRegistry,
  drain: Drain,
  state: SharedState,
  adminGuard: AdminGuard,
  options: HUB_OPTIONS,
  bodies: Bodies,
  metadata: MetadataAddress,
} satisfies Record<keyof HubParts, InjectionToken>;

/** Exported by a hub's own module. */
export function exportedParts(name?: string): FactoryProvider<HubParts> {
  const names = Object.keys(TOKENS);
  return {
    provide: partsToken(name),
    inject: Object.values(TOKENS),
    useFactory: (...parts: unknown[]) =>
      Object.fromEntries(names.map((part, index) => [part, parts[index]])) as unknown as HubParts,
  };
}

/** Has a module around a hub inject {@link HUB_PARTS}. */
export function importedParts(name?: string): Provider {
  return { provide: HUB_PARTS, useExisting: partsToken(name) };
}

/** Lets administrators of the hub in that a module stands around, and answers 404 where no key for them is configured. */
@Injectable()
export class HubAdminGuard implements CanActivate {
  /** @internal Nest calls it. */
  constructor(@Inject(HUB_PARTS) private readonly parts: HubParts) {}

  canActivate(context: ExecutionContext): Promise<boolean> {
    return this.parts.adminGuard.canActivate(context);
  }
}
