import { Inject, type InjectionToken } from '@nestjs/common';
import { HubService } from '../hub/service/hub.service.js';

/** The injection token of the hub with this name; without a name it is the class itself. */
export const hubToken = (name?: string): InjectionToken<HubService> =>
  name === undefined ? HubService : `herald hub ${name}`;

/** Injects the {@link HubService} of the hub with this name, or of the one without a name. */
export const InjectHub = (name?: string): ParameterDecorator & PropertyDecorator => Inject(hubToken(name));
