import { Controller, Get, Inject, Param, Res, SetMetadata, VERSION_NEUTRAL } from '@nestjs/common';
import { type FrameworkReply, hubReplyOf } from '../../shared/exchange/exchange.js';
import type { HubReply } from '../../shared/exchange/hub-reply.js';
import { PAGE_POLICY } from '../../shared/http/page-policy.js';
import { type ClientFile, ClientFiles } from './client-files.js';
import { HIDDEN } from './hidden.js';
import { FOR_GOOD, FRESH, sendFile } from './send-file.js';

/** The page's document, and where it is. */
export interface Page {
  /** Undefined where nothing has been built. */
  readonly document: ClientFile | undefined;
  /** The last part of its path. */
  readonly folder: string;
}

/** The injection token of {@link Page}. */
export const PAGE = Symbol('the page');

/** The path that the page is given another one for. */
export const PAGE_PATH = '/herald';

const DOCUMENT_HEADERS = {
  ...FRESH,
  'content-security-policy': Object.entries(PAGE_POLICY)
    .map(([name, sources]) => [name, ...sources].join(' '))
    .join(';'),
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
};

/** The page: its document and what that loads. */
@Controller({ path: PAGE_PATH, version: VERSION_NEUTRAL })
@SetMetadata(...HIDDEN)
export class PageController {
  constructor(
    @Inject(PAGE) private readonly page: Page,
    private readonly files: ClientFiles,
  ) {}

  @Get(['', 'index.html'])
  document(@Res() given: FrameworkReply): Promise<void> {
    return sendDocument(hubReplyOf(given), this.page);
  }

  @Get('favicon.svg')
  icon(@Res() given: FrameworkReply): Promise<void> {
    return sendFile(hubReplyOf(given), this.files.find('favicon.svg'), FRESH);
  }

  /** Of what is in the scripts. */
  @Get('license.md')
  licences(@Res() given: FrameworkReply): Promise<void> {
    return sendFile(hubReplyOf(given), this.files.find('license.md'), FRESH);
  }

  @Get('assets/:file')
  asset(@Param('file') name: string, @Res() given: FrameworkReply): Promise<void> {
    return sendFile(hubReplyOf(given), this.files.find(`assets/${name}`), FOR_GOOD);
  }
}

/** The document's address with a slash at the end, which is another one to Fastify. */
@Controller({ path: PAGE_PATH, version: VERSION_NEUTRAL })
@SetMetadata(...HIDDEN)
export class SlashedPageController {
  constructor(@Inject(PAGE) private readonly page: Page) {}

  /** Nest takes a slash away from the end of each path. */
  @Get('//')
  document(@Res() given: FrameworkReply): Promise<void> {
    return sendDocument(hubReplyOf(given), this.page);
  }
}

/** The document names its files relative to itself, and so must be asked for with a slash at the end. */
async function sendDocument(reply: HubReply, { document, folder }: Page): Promise<void> {
  const [path = ''] = reply.request.url.split('?', 1);
  if (/(?:\/|\/index\.html)$/i.test(path)) await sendFile(reply, document, DOCUMENT_HEADERS);
  else reply.header('location', `${folder}/`).status(308).send();
}
