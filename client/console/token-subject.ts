import { t } from './translation.js';

/** The `sub` of a JWT, to be shown: the token is not verified. */
function subjectOf(token: string | undefined): string | undefined {
  const [, payload = ''] = (token ?? '').replaceAll('-', '+').replaceAll('_', '/').split('.');
  try {
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { readonly sub?: unknown };
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}

/** What to call whoever has this token; undefined without one. */
export function nameOf(token: string | undefined): string | undefined {
  return token === undefined ? undefined : (subjectOf(token) ?? t('unnamed'));
}
