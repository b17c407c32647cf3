import { Inject, Injectable } from '@nestjs/common';
import type { HubRequest } from '../../shared/exchange/hub-request.js';
import { MetadataAddress } from '../../hub/http/hub-error.filter.js';
import { AUTH_OPTIONS, type AuthOptions } from '../settings/auth.options.js';
import { metadataUrlOf, resourceOf } from '../settings/resource.js';

/** The metadata's address as the client of a request can reach it. */
@Injectable()
export class TokenMetadataAddress extends MetadataAddress {
  constructor(@Inject(AUTH_OPTIONS) private readonly options: AuthOptions) {
    super();
  }

  of(request: HubRequest): string {
    return metadataUrlOf(resourceOf(request, this.options), this.options.path);
  }
}
