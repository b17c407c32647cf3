import { z } from 'zod';
import { splitList } from './fields.js';

/** The origin of an application or an extension, such as `capacitor://localhost`: no URL of the web, and no path. */
const APPLICATION =
  /^(?!(?:https?|wss?|ftp|file|data|blob|about|javascript):)[a-z][a-z0-9+.-]{0,40}:\/\/[\w.-]{1,255}(?::\d{1,5})?$/;

/** What stands for the labels below a domain, where an origin is checked for its form. */
const SOME_LABEL = 'label';

/**
 * A list of origins, separated by commas: as browsers write them, those of applications and extensions too, or with one
 * `*` for all names below a domain. The wildcard for all is refused, because the list has to name who is allowed.
 */
export function origins() {
  return z.string().transform((text, context) => {
    const list = splitList(text);
    const mistake = list.includes('null') ? NULL : list.every(isOriginOrPattern) ? undefined : MALFORMED;
    if (mistake === undefined) return list;
    context.addIssue(mistake);
    return z.NEVER;
  });
}

const NULL = 'must be origins that somebody has: null is that of every sandboxed frame and local file, whoever made it';

const MALFORMED =
  'must be origins separated by commas, such as https://app.example.com,https://example.org:8443, ' +
  'https://*.example.com for all names below a domain, or capacitor://localhost (no path, no * alone)';

function isOriginOrPattern(text: string): boolean {
  const pattern = /^(https?:\/\/)\*(\.[^*]+)$/.exec(text);
  if (!pattern) return APPLICATION.test(text) || isWebOrigin(text);
  const [, scheme = '', rest = ''] = pattern;
  return isWebOrigin(scheme + SOME_LABEL + rest) && isDomain(rest);
}

/** All names below `.com` are no domain of anybody's. */
function isDomain(rest: string): boolean {
  const name = rest.replace(/:\d+$/, '');
  return name === '.localhost' || name.lastIndexOf('.') > 0;
}

function isWebOrigin(text: string): boolean {
  return /^https?:/.test(text) && !text.includes('*') && URL.canParse(text) && new URL(text).origin === text;
}
