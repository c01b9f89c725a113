/** A button for each external issuer of a tenant; nothing where there is none. */
import { useSignal } from '@preact/signals';
import type { SignInIssuer } from '@wardroom/client';
import { useEffect } from 'preact/hooks';
import type { CookieSession } from '../model/cookie-session.js';
import { goToIssuer, issuersOf } from '../model/issuer-sign-in.js';
import { Button } from './inputs/button.js';

/** A tenant is typed letter by letter. */
const SETTLED_MS = 300;

interface Props {
  session: CookieSession;
  /** As it was typed. */
  tenant: string;
  device: string;
  /** Asks the issuer for a fresh proof, also where it knows who it is. */
  fresh?: boolean;
  text: (label: string) => string;
  /** The browser is about to leave. */
  onLeave?: () => void;
  onRefused: (error: unknown) => void;
}

export function IssuerButtons({
  session,
  tenant,
  device,
  fresh = false,
  text,
  onLeave,
  onRefused,
}: Props) {
  const ref = tenant.trim().toLowerCase();
  const issuers = useSignal<readonly SignInIssuer[]>([]);
  useEffect(() => {
    let isWanted = true;
    issuers.value = [];
    const look = async () => {
      const found = await issuersOf(session, ref);
      if (isWanted) issuers.value = found;
    };
    const timer = setTimeout(() => void look(), SETTLED_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [ref]);
  const go = async (issuer: string) => {
    onLeave?.();
    try {
      await goToIssuer(session, { tenant: ref, issuer, device, fresh });
    } catch (error) {
      onRefused(error);
    }
  };
  return (
    <>
      {issuers.value.map(({ issuer, label }) => (
        <Button key={issuer} onClick={() => void go(issuer)}>
          {text(label)}
        </Button>
      ))}
    </>
  );
}
