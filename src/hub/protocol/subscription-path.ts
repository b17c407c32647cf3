/** The path of a subscription, with each part percent-encoded exactly once (R73). */
export function subscriptionPath(hubPath: string, parts: readonly string[]): string {
  return [hubPath, 'subscriptions', ...parts.map(encodeOnce)].join('/');
}

/** RFC 6570, simple expansion: everything but unreserved characters is percent-encoded. */
function encodeOnce(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
