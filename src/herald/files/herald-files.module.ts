import { posix } from 'node:path';
import {
  type CanActivate,
  type DynamicModule,
  Module,
  type ModuleMetadata,
  type Provider,
  type Type,
} from '@nestjs/common';
import { HUB_PATH } from '../../shared/hub-path.js';
import { ownController } from '../module/own-controller.js';
import { ClientFiles } from './client-files.js';
import { LIBRARY_PATH, LibraryController } from './library.controller.js';
import { PAGE, type Page, PAGE_PATH, PageController, SlashedPageController } from './page.controller.js';
import { documentWith, type PagePlaces } from './page-document.js';

/** Where an application serves Herald's files, and what they find there. */
export interface HeraldFilesOptions {
  /**
   * The path of the client library's files, such as `/herald/client.js`. It is below the application's global prefix, as its
   * own routes are. Default: `/herald`.
   */
  readonly path?: string;
  /** Whether there is a console. Default: true. */
  readonly console?: boolean;
  /** The path of the console, which is below the global prefix as well. Default: `path`. */
  readonly consolePath?: string;
  /**
   * The hub's path as browsers find it: that of its `hubUrl`, with the global prefix where the hub is below it. Default:
   * `/.well-known/mercure`.
   */
  readonly hubPath?: string;
  /** The path of the hub's administration as browsers find it, such as `/admin`. Default: the console administers nothing. */
  readonly adminPath?: string | undefined;
  /** Modules that the guards get their dependencies from. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** Guards of the console. The library's files are for every page. */
  readonly guards?: readonly Type<CanActivate>[];
  /** Applied to each controller, such as one by which the application's own global guard passes them over. */
  readonly decorators?: readonly ClassDecorator[];
}

/** One or more parts with no character that would mean something in a route or in markup. */
const PATH = /^(?:\/[\w.~%-]+)+$/;

/**
 * The client library and the console, as files of an application with a hub in it:
 *
 *     HeraldFilesModule.forRoot()
 *
 * has the library at `/herald/client.js` and the console at `/herald/`. It sets no header on any other route. These are
 * controllers, and not `@nestjs/serve-static`, so that guards, decorators and a global prefix apply to them.
 */
@Module({})
export class HeraldFilesModule {
  /** @throws Error for a path that is none. */
  static forRoot(options: HeraldFilesOptions = {}): DynamicModule {
    const { path = LIBRARY_PATH, console: hasConsole = true, hubPath = HUB_PATH, adminPath } = options;
    const { consolePath = path, imports = [], decorators = [] } = options;
    checkPaths({ path, consolePath, hubPath, adminPath });
    const places = { hub: hubPath, admin: adminPath, library: posix.relative(consolePath, `${path}/client.js`) };
    const page: Provider = {
      provide: PAGE,
      inject: [ClientFiles],
      useFactory: (files: ClientFiles) => pageOf(files, consolePath, places),
    };
    const library = ownController(LibraryController, { usual: LIBRARY_PATH, path, decorators });
    return {
      module: HeraldFilesModule,
      imports,
      // The page's come first, because the library's `:file` would take their names otherwise.
      controllers: [...(hasConsole ? pageControllers(consolePath, options) : []), library],
      providers: [ClientFiles, ...(hasConsole ? [page] : [])],
    };
  }
}

function checkPaths(paths: Readonly<Record<string, string | undefined>>): void {
  for (const [name, path] of Object.entries(paths)) {
    if (path === undefined || PATH.test(path)) continue;
    throw new Error(
      `Herald's option ${name} must be a path such as /herald, with a slash before each part and none at its end.`,
    );
  }
}

function pageControllers(path: string, { guards, decorators = [] }: HeraldFilesOptions): Type[] {
  return [PageController, SlashedPageController].map((controller) =>
    ownController(controller, { usual: PAGE_PATH, path, guards, decorators }),
  );
}

function pageOf(files: ClientFiles, path: string, places: PagePlaces): Page {
  const built = files.find('index.html');
  return { document: built && documentWith(built, places), folder: posix.basename(path) };
}
