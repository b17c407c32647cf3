import { HUB_PATH } from '../shared/hub-path.js';

/** What has to be set in production, and is not. */
export function productionMistakes(given: Readonly<Record<string, string>>): string[] {
  if (given['NODE_ENV'] !== 'production') return [];
  // Otherwise the client would say by its `Host` header for whom the token must have been made.
  const mistakes = given['HERALD_RESOURCE']
    ? []
    : [
        `HERALD_RESOURCE must be set in production: the hub's public URL, which tokens name in aud, such as HERALD_RESOURCE=https://hub.example.com${HUB_PATH}`,
      ];
  if (
    ['HERALD_JWKS_URI', 'HERALD_JWKS_FILE', 'HERALD_ISSUERS_FILE', 'HERALD_AUTHORIZE_URL'].some((name) => given[name])
  )
    return mistakes;
  const missing = ['HERALD_PUBLISHER_KEY', 'HERALD_SUBSCRIBER_KEY'].filter((name) => !given[name]);
  const needed = missing.map(
    (name) =>
      `${name} must be set in production: a public key in PEM, or a secret of at least 32 bytes, such as ${name}="$(openssl rand -hex 32)"`,
  );
  return [...needed, ...mistakes];
}
