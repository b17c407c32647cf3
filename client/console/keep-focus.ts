/** What can have the keyboard's focus. */
const FOCUSABLE = 'button:enabled, input:enabled, select:enabled, textarea:enabled, summary, a[href], [tabindex="0"]';

/**
 * Sees to it that the keyboard's focus does not fall to the page when what has it is taken away or switched off. Then
 * the first that is there gets it: an heir, which the element or an element around it names by `data-heir` (selectors,
 * with semicolons between), or what can have the focus in the nearest element around it that is left.
 * @returns ends that.
 */
export function keepFocus(root: HTMLElement): () => void {
  /** The element that had the focus, and all around it up to the root. */
  let path: Element[] = [];
  const note = ({ target }: FocusEvent): void => {
    path = target instanceof Element ? pathTo(root, target) : [];
  };
  const forget = ({ relatedTarget }: FocusEvent): void => {
    // An element that is being taken away is still in the document when it loses the focus.
    const left = path;
    if (relatedTarget) return;
    queueMicrotask(() => {
      if (path === left && canHaveFocus(left[0])) path = [];
    });
  };
  const observer = new MutationObserver(() => {
    const [element] = path;
    const { activeElement } = document;
    // Until the page is drawn, the focus is where it was, also on an element that is switched off.
    const isLost = activeElement === document.body || (activeElement === element && element?.matches(':disabled'));
    if (!element || !isLost || canHaveFocus(element)) return;
    const lost = path;
    path = [];
    heirOf(lost)?.focus();
  });
  root.addEventListener('focusin', note);
  root.addEventListener('focusout', forget);
  observer.observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ['disabled', 'hidden'] });
  return () => {
    root.removeEventListener('focusin', note);
    root.removeEventListener('focusout', forget);
    observer.disconnect();
  };
}

function pathTo(root: HTMLElement, target: Element): Element[] {
  const path: Element[] = [];
  for (let one: Element | null = target; one && one !== root.parentElement; one = one.parentElement) path.push(one);
  return path;
}

function canHaveFocus(element: Element | undefined): boolean {
  return element?.isConnected === true && !element.matches(':disabled') && element.checkVisibility();
}

function heirOf(path: readonly Element[]): HTMLElement | undefined {
  for (const element of path) {
    for (const selector of element.getAttribute('data-heir')?.split(';') ?? []) {
      const named = document.querySelector<HTMLElement>(selector);
      if (named && canHaveFocus(named)) return named;
    }
    const found = element.isConnected
      ? [...element.querySelectorAll<HTMLElement>(FOCUSABLE)].find(canHaveFocus)
      : undefined;
    if (found) return found;
  }
  return undefined;
}
