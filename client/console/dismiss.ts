import type { Signal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

/** Closes what lies over the page at Escape, or when somebody presses elsewhere. `element` holds it and what opens it. */
export function useDismiss(isOpen: Signal<boolean>, element: RefObject<HTMLElement | null>): void {
  const { value } = isOpen;
  useEffect(() => {
    if (!value) return undefined;
    const onKeyDown = ({ key }: KeyboardEvent): void => {
      if (key === 'Escape') isOpen.value = false;
    };
    const onPointerDown = ({ target }: PointerEvent): void => {
      if (target instanceof Node && !element.current?.contains(target)) isOpen.value = false;
    };
    document.addEventListener('keydown', onKeyDown);
    document.addEventListener('pointerdown', onPointerDown);
    return () => {
      document.removeEventListener('keydown', onKeyDown);
      document.removeEventListener('pointerdown', onPointerDown);
    };
  }, [value]);
}
