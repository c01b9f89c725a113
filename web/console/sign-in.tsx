/** The way in. The password goes to the server and is kept nowhere. */
import { signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from '../kit/inputs/button.js';
import { ErrorLine } from '../kit/inputs/error-line.js';
import { Field } from '../kit/inputs/field.js';
import { IssuerButtons } from '../kit/issuer-buttons.js';
import { troubleOf } from '../model/console/words.js';
import type { CookieSession } from '../model/cookie-session.js';
import { takeRefusal } from '../model/issuer-sign-in.js';
import { sentenceOf } from '../model/sentences.js';

/** In the list of sessions. */
export const DEVICE = 'console';
/** The browser has come back from an issuer. */
const came = takeRefusal();
const tenant = signal('system');
const email = signal('');

export function SignIn({ session }: { session: CookieSession }) {
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const password = useSignal('');
  const refused = useSignal(
    came === null ? null : `Nobody was signed in: ${came.replaceAll('_', ' ')}.`,
  );
  const isBusy = useSignal(false);
  const why = session.why.value;
  const ended = why === null ? null : sentenceOf(why.code, why.action);

  const refuse = (error: unknown) => {
    const { title, text, code } = troubleOf(error);
    refused.value =
      code === 'invalid_credentials' ? 'Tenant, e-mail or password is wrong.' : `${title} ${text}`;
  };
  const enter = async (event: Event) => {
    event.preventDefault();
    if (isBusy.value) return;
    isBusy.value = true;
    refused.value = null;
    try {
      await session.signIn({
        tenant: tenant.value.trim(),
        email: email.value.trim(),
        password: password.value,
        device: DEVICE,
      });
    } catch (error) {
      refuse(error);
      password.value = '';
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <main class="narrow">
      <form class="sign-in" onSubmit={(event) => void enter(event)}>
        <h1>Wardroom console</h1>
        {ended === null ? null : (
          <p class="ended">
            <strong>{ended.title}.</strong> {ended.text}
          </p>
        )}
        <Field
          label="Tenant"
          value={tenant.value}
          onInput={(value) => (tenant.value = value)}
          hint="“system” for operators and auditors; your own as admin of a tenant."
          autocomplete="organization"
          required
        />
        <Field
          label="E-mail"
          type="email"
          value={email.value}
          onInput={(value) => (email.value = value)}
          autocomplete="username"
          inputRef={first}
          required
        />
        <Field
          label="Password"
          type="password"
          value={password.value}
          onInput={(value) => (password.value = value)}
          autocomplete="current-password"
          required
        />
        <ErrorLine text={refused.value} />
        <Button look="accent" busy={isBusy.value} submit>
          {isBusy.value ? 'Signing in …' : 'Sign in'}
        </Button>
        <IssuerButtons
          session={session}
          tenant={tenant.value}
          device={DEVICE}
          text={(label) => `Sign in with ${label}`}
          onRefused={refuse}
        />
      </form>
    </main>
  );
}
