import type { Herald } from './herald.js';

/** Where these tests have the service on the site of another. */
export const BASE = '/realtime';
export const METADATA = '/.well-known/oauth-protected-resource';

/** How a proxy passes `/realtime/` on: as it is, or without it. The metadata is at its own place on the site. */
export const WAYS = [
  ['keeps', ''],
  ['strips', '/'],
] as const;

/** What nginx says to have the service below the path. */
export function below({ port }: Herald, end: string): string {
  const pass = (target: string): string => `proxy_pass http://127.0.0.1:${port}${target};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;`;
  return `
  location ${BASE}/ {
    ${pass(end)}
  }
  location ${METADATA}${BASE}/ {
    ${pass('')}
  }`;
}
