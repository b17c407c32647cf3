/** What the tests use of it: its own types are another package. */
declare module 'react-dom/client' {
  export function createRoot(container: Element): { render(node: unknown): void; unmount(): void };
}

declare module 'react-dom/server' {
  export function renderToString(node: unknown): string;
}
