/** The audience of a token for this hub: the configured resource, or else the hub's URL by each name of localhost. */
export function ownAudience(resource: string | undefined, hubUrl: string): string[] {
  if (resource !== undefined) return [resource];
  return [hubUrl, hubUrl.replace('//localhost:', '//127.0.0.1:')];
}
