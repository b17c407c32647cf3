import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { Identity } from './session.js';
import { t } from './translation.js';

interface TokenDialogProps {
  /** The prefix of the ids of its elements. */
  readonly name: string;
  readonly onConnect: (identity: Identity) => void;
}

/** A button, and the dialog that it opens, in which somebody gives the tokens to connect with. */
export function TokenDialog({ name, onConnect }: TokenDialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const token = useSignal('');
  const publishToken = useSignal('');
  const adminToken = useSignal('');
  const isShown = useSignal(false);
  const connect = (event: Event): void => {
    event.preventDefault();
    dialog.current?.close();
    onConnect({
      ...(token.value !== '' && { token: token.value.trim() }),
      ...(publishToken.value !== '' && { publishToken: publishToken.value.trim() }),
      ...(adminToken.value !== '' && { adminToken: adminToken.value.trim() }),
    });
  };
  return (
    <>
      <button type="button" id={`${name}-token`} aria-haspopup="dialog" onClick={() => dialog.current?.showModal()}>
        {t('withToken')}
      </button>
      <dialog ref={dialog} class="token-dialog" aria-labelledby={`${name}-token-title`}>
        <form onSubmit={connect} autocomplete="off">
          <h2 id={`${name}-token-title`}>{t('tokenTitle')}</h2>
          <Field label={t('token')} value={token} isShown={isShown.value} isRequired />
          <Field label={t('publishToken')} value={publishToken} isShown={isShown.value} />
          <Field label={t('adminToken')} value={adminToken} isShown={isShown.value} />
          <label class="check">
            <input
              type="checkbox"
              checked={isShown.value}
              onChange={({ currentTarget }) => (isShown.value = currentTarget.checked)}
            />
            {t('showTokens')}
          </label>
          <small>{t('tokenNote')}</small>
          <div class="actions">
            <button type="button" onClick={() => dialog.current?.close()}>
              {t('cancel')}
            </button>
            <button type="submit" class="primary">
              {t('connect')}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: Signal<string>;
  /** Whether what is in it can be read. */
  readonly isShown: boolean;
  readonly isRequired?: boolean;
}

function Field({ label, value, isShown, isRequired = false }: FieldProps): JSX.Element {
  return (
    <label>
      {label}
      <input
        {...(isShown ? { type: 'text' } : { type: 'password' })}
        class="mono"
        autocomplete="off"
        spellcheck={false}
        required={isRequired}
        value={value.value}
        onInput={({ currentTarget }) => (value.value = currentTarget.value)}
      />
    </label>
  );
}
