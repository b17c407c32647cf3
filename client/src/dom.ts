/** The element with this id. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`the page has no ${type.name} with the id ${id}`);
}

/** Hides the element. If it has the keyboard's focus, `heir` gets it, so that it is not lost. */
export function hide(element: HTMLElement, heir: HTMLElement): void {
  if (document.activeElement === element) heir.focus({ preventScroll: true });
  element.hidden = true;
}
