import type { JSX } from 'preact';

interface ShortLabelProps {
  readonly long: string;
  /** A word of it, or two, for where there is no room. */
  readonly short: string;
}

/** What a button says. It is called by the long form wherever it is shown: give it that as its `aria-label`. */
export function ShortLabel({ long, short }: ShortLabelProps): JSX.Element {
  return (
    <>
      <span class="long">{long}</span>
      <span class="short">{short}</span>
    </>
  );
}
