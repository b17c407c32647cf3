import { setIcon } from '../src/page-icon.js';

/** Colours behind the page's icon, those of the light theme: a browser's tabs do not follow the theme of the page. */
const GROUNDS = { idle: '#1f6feb', busy: '#1f6feb', open: '#1a7f37', lost: '#9a6700', failed: '#cf222e' } as const;

/** Lets the page's icon show the state of the connection, for whoever has the page in another tab. */
export function showState(look: keyof typeof GROUNDS): void {
  const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" \
fill="${GROUNDS[look]}"/><g fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round">\
<path d="M9 15a8 8 0 0 1 8 8M9 8a15 15 0 0 1 15 15"/></g><circle cx="10" cy="22" r="2.5" fill="#fff"/></svg>`;
  setIcon('console', { address: `data:image/svg+xml,${encodeURIComponent(icon)}`, look });
}
