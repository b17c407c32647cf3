/** The element with this id. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`the page has no ${type.name} with the id ${id}`);
}

/** Hides the element; if it has the keyboard's focus, hands that on rather than lose it. */
export function hide(element: HTMLElement, heir: HTMLElement): void {
  if (document.activeElement === element) heir.focus({ preventScroll: true });
  element.hidden = true;
}
