/** The query of the link to the next page (RFC 8288); empty where there is none. */
export function nextQueryOf({ headers }: { readonly headers: Headers }): string {
  return /\?([^>]*)>; *rel="next"/.exec(headers.get('link') ?? '')?.[1] ?? '';
}
