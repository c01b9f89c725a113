/** Signing in, by password, link, registration or as a guest. */
import type { SignInForm } from '../model/chat/sign-in.js';
import { Button } from '../kit/inputs/button.js';
import { ErrorLine } from '../kit/inputs/error-line.js';
import { Field } from '../kit/inputs/field.js';
import { IssuerButtons } from '../kit/issuer-buttons.js';
import { useChat } from './context.js';
import { LanguageSelect } from './dialogs/language-select.js';

export function SignInPage() {
  const { t } = useChat();
  return (
    <main class="door">
      <header>
        <h1>Wardroom</h1>
        <p class="soft">{t.signIn.lead}</p>
      </header>
      <SignInCard />
      <footer>
        <LanguageSelect />
      </footer>
    </main>
  );
}

/** `isAgain`: somebody known signs in; tenant and address are theirs. */
export function SignInCard({ isAgain = false }: { isAgain?: boolean }) {
  const chat = useChat();
  const { signIn } = chat;
  const t = chat.t.signIn;
  const form = signIn.form.value;
  const refused = signIn.refused.value;
  /** `alias`: how a call names the field where it has another name. */
  const bound = (name: 'tenant' | 'name' | 'email' | 'password', alias: string = name) => ({
    value: signIn[name].value,
    onInput: (value: string) => (signIn[name].value = value),
    error: [name, alias].some((field) => signIn.wrong.value.has(field)) ? t.wrongField : null,
    required: true,
  });
  const isNew = form === 'register' || form === 'reset';
  const titles: Record<SignInForm, [title: string, text: string, submit: string]> = {
    sign_in: [t.title, signIn.hasInvite.value ? t.inviteWaits : '', t.submit],
    register: [t.registerTitle, t.registerText, t.registerSubmit],
    forgot: [t.forgotTitle, t.forgotText, t.forgotSubmit],
    forgot_done: [t.forgotTitle, t.forgotDone, ''],
    reset: [t.resetTitle, t.resetText, t.resetSubmit],
    reset_done: [t.title, t.resetDone, ''],
  };
  const [title, text, submit] = titles[form];
  const isDone = form === 'forgot_done' || form === 'reset_done';
  const hasAccountFields = !isDone && form !== 'reset' && !isAgain;
  return (
    <form
      class="card"
      aria-labelledby={isAgain ? 'dialog-title' : 'sign-in-title'}
      onSubmit={(event) => {
        event.preventDefault();
        void signIn.submit();
      }}
    >
      {isAgain ? null : <h2 id="sign-in-title">{title}</h2>}
      {text === '' ? null : <p role={isDone ? 'status' : undefined}>{text}</p>}
      {hasAccountFields ? (
        <>
          <Field
            label={t.tenant}
            hint={t.tenantHint}
            {...bound('tenant')}
            autocomplete="organization"
          />
          {form === 'register' ? (
            <Field label={t.name} {...bound('name')} autocomplete="name" maxLength={100} />
          ) : null}
          <Field label={t.email} type="email" {...bound('email')} autocomplete="username" />
        </>
      ) : null}
      {isDone || form === 'forgot' ? null : (
        <Field
          label={isNew ? t.newPassword : t.password}
          {...(isNew && { hint: t.passwordRule })}
          {...bound('password', 'new')}
          type="password"
          autocomplete={isNew ? 'new-password' : 'current-password'}
        />
      )}
      <ErrorLine text={refused === null ? null : chat.why(refused)} />
      {submit === '' ? null : (
        <button type="submit" class="button accent wide" aria-disabled={signIn.isBusy.value}>
          {submit}
        </button>
      )}
      {form === 'sign_in' ? (
        <IssuerButtons
          {...{ session: chat.session, tenant: signIn.tenant.value, device: signIn.device }}
          text={t.atIssuer}
          onLeave={() => signIn.remember()}
          onRefused={(error) => signIn.refuse(error)}
        />
      ) : null}
      {isAgain ? null : (
        <div class="others">
          {form === 'sign_in' ? (
            <>
              <Button look="quiet" onClick={() => signIn.turn('forgot')}>
                {t.forgot}
              </Button>
              <Button look="quiet" onClick={() => signIn.turn('register')}>
                {t.newAccount}
              </Button>
              <Button look="quiet" onClick={() => void signIn.guest()}>
                {t.guest}
              </Button>
            </>
          ) : (
            <Button look="quiet" onClick={() => signIn.turn('sign_in')}>
              {isDone ? t.submit : t.haveAccount}
            </Button>
          )}
        </div>
      )}
    </form>
  );
}
