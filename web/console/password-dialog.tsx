/** The password once more. It stands above the dialog of the change that needs it. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { Button } from '../kit/inputs/button.js';
import { ErrorLine } from '../kit/inputs/error-line.js';
import { Field } from '../kit/inputs/field.js';
import '../kit/dialog.css';
import { IssuerButtons } from '../kit/issuer-buttons.js';
import type { StepUp } from '../model/console/step-up.js';
import type { CookieSession } from '../model/cookie-session.js';
import { DEVICE } from './sign-in.js';

export function PasswordDialog({ stepUp, session }: { stepUp: StepUp; session: CookieSession }) {
  const me = session.me.value;
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const password = useSignal('');
  useLayoutEffect(() => {
    dialog.current?.showModal();
    field.current?.focus();
  }, []);
  const submit = async (event: Event) => {
    event.preventDefault();
    const given = password.value;
    password.value = '';
    await stepUp.give(given);
    field.current?.focus();
  };
  return (
    <dialog
      ref={dialog}
      class="dialog deed"
      aria-labelledby="password-title"
      onClose={() => stepUp.giveUp()}
    >
      <h2 id="password-title">Your password, once more</h2>
      <form onSubmit={(event) => void submit(event)}>
        <p>
          The server asks for it before changes that many people feel, when it was given some time
          ago. Nothing is changed yet.
        </p>
        {/* For password managers. */}
        <input type="email" autocomplete="username" value={me?.email ?? ''} hidden readOnly />
        <Field
          label="Password"
          type="password"
          autocomplete="current-password"
          value={password.value}
          onInput={(value) => (password.value = value)}
          inputRef={field}
          required
        />
        <ErrorLine text={stepUp.refused.value} />
        <div class="actions">
          <Button look="accent" submit disabled={stepUp.isSending.value}>
            {stepUp.isSending.value ? 'Checking …' : 'Go on'}
          </Button>
          <Button onClick={() => dialog.current?.close()}>Cancel</Button>
          <IssuerButtons
            session={session}
            tenant={me?.tenant.slug ?? ''}
            device={DEVICE}
            fresh
            text={(label) => `Prove it at ${label}, then try again`}
            onRefused={(error) => stepUp.refuse(error)}
          />
        </div>
      </form>
    </dialog>
  );
}
