import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { copyText } from './clipboard.js';
import { t } from './translation.js';

/** Milliseconds for which a button says what has become of copying. */
const SHOWN = 2_500;

interface CopyProps {
  readonly label: string;
  /** Makes the text when the button is pressed. */
  readonly text: () => string;
  /** Tells those who do not see the button. */
  readonly announce: (sentence: string) => void;
  readonly id?: string;
  /** What is copied, where several buttons have the same label. */
  readonly what?: string;
}

/** Copies a text, and says whether that worked. */
export function CopyButton({ label, text, announce, id, what }: CopyProps): JSX.Element {
  const outcome = useSignal<'copied' | 'copyFailed' | undefined>(undefined);
  const copy = async (): Promise<void> => {
    const found = (await copyText(text())) ? 'copied' : 'copyFailed';
    outcome.value = found;
    announce(t(found));
    setTimeout(() => (outcome.value = undefined), SHOWN);
  };
  const shown = outcome.value;
  return (
    <button
      type="button"
      id={id}
      class="copy"
      data-outcome={shown}
      aria-label={what === undefined ? undefined : `${label}: ${what}`}
      onClick={() => void copy()}
    >
      {shown === undefined ? label : `${shown === 'copied' ? '✓' : '✗'} ${t(shown)}`}
    </button>
  );
}
