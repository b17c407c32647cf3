/** Makes `select` a choice that is remembered for the next visit, and applies it now and on every change. */
export function rememberedChoice(select: HTMLSelectElement, initial: string, apply: (value: string) => void): void {
  select.value = recall(select.id) ?? initial;
  // The remembered value may not be an option any more.
  if (select.selectedIndex === -1) select.value = initial;
  apply(select.value);
  select.addEventListener('change', () => {
    remember(select.id, select.value);
    apply(select.value);
  });
}

function recall(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
    return null;
  }
}

function remember(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }
}
