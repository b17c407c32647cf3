import { Controller, Get, Param, Res, SetMetadata, VERSION_NEUTRAL } from '@nestjs/common';
import { type FrameworkReply, hubReplyOf } from '../../shared/exchange/exchange.js';
import { ClientFiles } from './client-files.js';
import { HIDDEN } from './hidden.js';
import { FRESH, sendFile } from './send-file.js';

/** Where the client library usually is: pages import `/herald/client.js`. */
export const LIBRARY_PATH = '/herald';

/** The files of the client library, for pages that no bundler makes. */
@Controller({ path: LIBRARY_PATH, version: VERSION_NEUTRAL })
@SetMetadata(...HIDDEN)
export class LibraryController {
  constructor(private readonly files: ClientFiles) {}

  @Get(':file')
  get(@Param('file') name: string, @Res() given: FrameworkReply): Promise<void> {
    return sendFile(hubReplyOf(given), this.files.find(`herald/${name}`), FRESH);
  }
}
