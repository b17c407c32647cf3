/** `event-source-polyfill` brings no types of its own. Imported by a page, it sets a global class, which takes headers. */
declare module 'event-source-polyfill' {
  global {
    var EventSourcePolyfill: new (url: string, init?: { readonly headers?: Record<string, string> }) => EventSource;
  }
}
