import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import { HubError } from '../../access/hub.errors.js';
import { HubErrorFilter } from '../../hub/http/hub-error.filter.js';
import { JournalUnavailableError } from '../../storage/journal/journal.js';
import { HUB_PARTS, type HubParts } from './hub-parts.js';

/** Answers the refusals of a module around a hub as those of the hub itself are answered. */
@Catch(HubError, JournalUnavailableError)
export class HubPartsFilter implements ExceptionFilter<HubError | JournalUnavailableError> {
  private readonly filter: HubErrorFilter;

  constructor(@Inject(HUB_PARTS) { streams, options, metadata }: HubParts) {
    this.filter = new HubErrorFilter(streams, options, metadata);
  }

  catch(error: HubError | JournalUnavailableError, host: ArgumentsHost): void {
    // oxlint-disable-next-line promise/no-promise-in-callback, promise/valid-params -- this is a filter, and no promise
    this.filter.catch(error, host);
  }
}
