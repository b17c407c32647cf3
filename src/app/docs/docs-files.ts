import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the page at `/docs`. */
interface DocsFile {
  readonly type: string;
  read(): Promise<Buffer | string>;
}

export type DocsFiles = ReadonlyMap<string, DocsFile>;

/** The name of the page itself. */
export const INDEX = 'index.html';

const JAVASCRIPT = 'text/javascript; charset=utf-8';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>Herald: routes</title>
    <link rel="icon" href="favicon.svg" />
    <link rel="stylesheet" href="docs/swagger-ui.css" />
  </head>
  <body>
    <div id="page"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/page.js"></script>
  </body>
</html>
`;

const SCRIPT = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#page', deepLinking: true, validatorUrl: 'none' });\n`;

/**
 * The files of the page at `/docs`, by their names: Swagger UI, which reads the OpenAPI document. Undefined where Swagger UI is
 * not installed, as it is for development only.
 */
export function docsFiles(): DocsFiles | undefined {
  const folder = swaggerFolder();
  if (folder === undefined) return undefined;
  const installed = (name: string, type: string): DocsFile => ({ type, read: () => readFile(join(folder, name)) });
  return new Map([
    [INDEX, { type: 'text/html; charset=utf-8', read: () => Promise.resolve(PAGE) }],
    ['page.js', { type: JAVASCRIPT, read: () => Promise.resolve(SCRIPT) }],
    ['swagger-ui-bundle.js', installed('swagger-ui-bundle.js', JAVASCRIPT)],
    ['swagger-ui.css', installed('swagger-ui.css', 'text/css; charset=utf-8')],
  ]);
}

function swaggerFolder(): string | undefined {
  try {
    return dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')));
  } catch {
    return undefined;
  }
}
