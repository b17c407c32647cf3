import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import './confirm-dialog.css';
import { t } from './translation.js';

interface ConfirmProps {
  readonly title: string;
  /** What will happen. */
  readonly children: ComponentChildren;
  /** Names the act on its button. */
  readonly act: string;
  /** Selectors of what gets the keyboard's focus afterwards, see `keepFocus`. */
  readonly heir: string;
  readonly onConfirm: () => void;
  /** Called when the dialog is to go, whatever was chosen. */
  readonly onClose: () => void;
}

/** Asks before something is done that can't be taken back. The way out has the focus at first. */
export function ConfirmDialog({ title, children, act, heir, onConfirm, onClose }: ConfirmProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const confirm = (): void => {
    onConfirm();
    dialog.current?.close();
  };
  return (
    <dialog ref={dialog} class="confirm" aria-labelledby="confirm-title" data-heir={heir} onClose={onClose}>
      <h3 id="confirm-title">{title}</h3>
      <p>{children}</p>
      <div class="actions">
        <button type="button" id="confirm-cancel" onClick={() => dialog.current?.close()}>
          {t('cancel')}
        </button>
        <button type="button" class="danger" id="confirm-act" onClick={confirm}>
          {act}
        </button>
      </div>
    </dialog>
  );
}
