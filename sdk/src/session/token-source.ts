import { WardroomError } from '../errors.js';

/**
 * Why a credential is asked for. `connect`: any valid one. `refresh`: a newer one, the present one
 * ends soon. `rejected`: a newer one, the server refused the present one.
 */
export type TokenReason = 'connect' | 'refresh' | 'rejected';

/** An access token, or a single-use ticket. */
export type Credential = string | { readonly ticket: string };

/** `null` means that nobody is signed in. */
export type GetToken = (reason: TokenReason) => Credential | null | Promise<Credential | null>;

/** `presented` is the credential the server saw last. */
export type TakeToken = (
  reason: TokenReason,
  presented: Credential | undefined,
) => Promise<Credential>;

/** However many ask at once, the callback runs once. */
export function takeFromCallback(getToken: GetToken): TakeToken {
  let pending: Promise<Credential> | undefined;
  return (reason) => (pending ??= call(reason).finally(() => (pending = undefined)));

  async function call(reason: TokenReason): Promise<Credential> {
    const credential = await getToken(reason);
    if (!credential) throw new WardroomError('signed_out');
    return credential;
  }
}

export const credentialFields = (credential: Credential): { token: string } | { ticket: string } =>
  typeof credential === 'string' ? { token: credential } : { ticket: credential.ticket };
