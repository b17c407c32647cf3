import type { JSX } from 'preact';

/** A topic whose lines are broken behind its slashes, and not within its words. */
export function Breakable({ text }: { text: string }): JSX.Element {
  return (
    <>
      {text.split(/(?<=\/)(?!\/)/).map((part) => (
        <>
          {part}
          <wbr />
        </>
      ))}
    </>
  );
}
