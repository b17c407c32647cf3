import { type ClientFile, fileOf } from './client-files.js';

/** Where the page of an application finds what it asks for. */
export interface PagePlaces {
  readonly hub: string;
  /** Undefined where there is no administration. */
  readonly admin: string | undefined;
  /** Relative to the page, because both may be below the same prefix. */
  readonly library: string;
}

/**
 * The document of the page, which says where things are in an application. Without these elements the page takes itself for
 * the service's: see `client/src/page-places.ts`.
 */
export function documentWith(built: ClientFile, places: PagePlaces): ClientFile {
  const told = Object.entries(places).flatMap(([name, place]: [string, string | undefined]) =>
    place === undefined ? [] : [`<meta name="herald-${name}" content="${escape(place)}" />`],
  );
  const text = built.text
    .replace(/<title>[^<]*<\/title>/, '<title>Herald console</title>')
    .replace(/ *<meta name="description"[^>]*>\n/, '')
    .replace('</head>', () => `  ${told.join('\n    ')}\n  </head>`);
  return fileOf('.html', text);
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
