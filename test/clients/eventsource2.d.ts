/** `eventsource` 2 brings no types of its own. These are of what the tests use. */
declare module 'eventsource2' {
  interface Init {
    readonly headers?: Record<string, string>;
  }

  export default class EventSource {
    constructor(url: string, init?: Init);
    addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
    close(): void;
  }
}
