import type { Translator } from './language.js';
import { en, type TextKey } from './texts.js';

/**
 * Puts the whole page into the translator's language: the document's `lang`, the text of each element with `data-text`, the
 * `aria-label` of each element with `data-text-label`, and the title, which is that of the view.
 */
export function translatePage(translator: Translator): void {
  document.documentElement.lang = translator.language;
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]')) {
    const key = element.dataset['text'];
    if (isTextKey(key)) setText(element, key, translator);
  }
  for (const element of document.querySelectorAll<HTMLElement>('[data-text-label]')) {
    const key = element.dataset['textLabel'];
    if (isTextKey(key)) element.ariaLabel = translator.text(key);
  }
  document.title = document.querySelector('h1')?.textContent ?? document.title;
}

/** Gives the element a text that `translatePage` keeps in the reader's language. */
export function setText(element: HTMLElement, key: TextKey, translator: Translator): void {
  element.dataset['text'] = key;
  element.textContent = translator.text(key);
}

function isTextKey(key: string | undefined): key is TextKey {
  return key !== undefined && Object.hasOwn(en, key);
}
