type View = 'clock' | 'console';

interface Icon {
  readonly address: string;
  /** What it shows, for those who look into the document. */
  readonly look: string;
}

const icons = new Map<View, Icon>();
let shown: View = 'clock';

/** Gives a view an icon of its own, which is shown while the view is. */
export function setIcon(view: View, icon: Icon): void {
  icons.set(view, icon);
  draw();
}

/** Has the page's icon be that of a view. */
export function showIconOf(view: View): void {
  shown = view;
  draw();
}

function draw(): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]');
  if (!link) return;
  // The document comes with the clock's.
  if (!icons.has('clock')) icons.set('clock', { address: link.href, look: '' });
  const icon = icons.get(shown);
  if (!icon) return;
  link.href = icon.address;
  link.dataset['look'] = icon.look;
}
