/** The whole page: the console of the signed-in user, or the form to sign in. */
import { useEffect } from 'preact/hooks';
import { Announcer } from '../kit/said/announcer.js';
import { Banner } from '../kit/said/banner.js';
import { Button } from '../kit/inputs/button.js';
import { Toasts } from '../kit/said/toast.js';
import type { Console } from '../model/console/console.js';
import type { CookieSession } from '../model/cookie-session.js';
import { DeedDialog } from './deed-dialog.js';
import { PasswordDialog } from './password-dialog.js';
import { Shell } from './shell.js';
import { SignIn } from './sign-in.js';
import './console.css';

export interface Props {
  console: Console;
  session: CookieSession;
}

export function App({ console, session }: Props) {
  const state = session.state.value;
  const rights = console.rights.value;
  useEffect(() => {
    if (state === 'signed_in') void console.learnNodes().catch(() => undefined);
    else console.stepUp.giveUp();
  }, [state, rights]);
  const isIn = state === 'signed_in' && rights !== null;
  return (
    <>
      <Announcer said={console.said} />
      <Toasts />
      {state === 'starting' ? <p class="empty">Asking the server who is signed in …</p> : null}
      {state === 'away' ? (
        <Banner
          tone="bad"
          title="No answer."
          text="The server does not answer. It is asked again every few seconds."
        />
      ) : null}
      {state === 'signed_out' ? <SignIn session={session} /> : null}
      {isIn && rights.entitled ? (
        <Shell console={console} session={session} rights={rights} />
      ) : null}
      {isIn && !rights.entitled ? <NotEntitled session={session} /> : null}
      {isIn && console.doing.value !== null ? (
        <DeedDialog console={console} doing={console.doing.value} />
      ) : null}
      {isIn && console.stepUp.isAsking.value ? (
        <PasswordDialog stepUp={console.stepUp} session={session} />
      ) : null}
    </>
  );
}

function NotEntitled({ session }: { session: CookieSession }) {
  const me = session.me.value!;
  return (
    <main class="narrow">
      <Banner
        tone="warn"
        title="Nothing here for you."
        text={`${me.email ?? me.name ?? 'You'} is ${me.role} of ${me.tenant.name}. The console is for operators, auditors and admins of a tenant.`}
      >
        <Button onClick={() => void session.signOut()}>Sign out</Button>
      </Banner>
    </main>
  );
}
