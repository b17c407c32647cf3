import type { JSX } from 'preact';
import { language } from './translation.js';

/** A text that is English, whatever the reader's language. */
export function English({ text }: { text: string }): JSX.Element {
  return language.value === 'en' ? <>{text}</> : <span lang="en">{text}</span>;
}
