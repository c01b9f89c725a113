/** The operator who makes the tenants of a run: a given access token, or a person who signs in. */
import type { Heard } from './wire/heard.js';
import type { Transport } from './wire/transport.js';
import { codeOf } from './world.js';
import type { Tokens } from './world.js';

export type OperatorCredential =
  | { readonly token: string }
  | { readonly tenant: string; readonly email: string; readonly password: string };

/** The credential was not accepted, or is not that of an operator. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** Answers a function that gives an access token; it is asked before each call. */
export async function operator(
  transport: Transport,
  heard: Heard,
  credential: OperatorCredential,
): Promise<() => Promise<string>> {
  let tokens: Tokens | undefined;
  let issuedAt = 0;
  const keep = (issued: unknown) => {
    tokens = issued as Tokens;
    issuedAt = performance.now();
  };
  if ('token' in credential) heard.keep('access token', credential.token);
  else {
    heard.keep('password', credential.password);
    const answer = await transport.call('/v1/auth/login', { body: { ...credential } });
    if (!answer.ok) throw new Refused(`The operator was not let in: ${codeOf(answer)}.`);
    keep(answer.body);
  }
  let renewing: Promise<void> | undefined;
  const renew = async () => {
    const body = { refresh_token: tokens!.refresh_token };
    const answer = await transport.call('/v1/auth/refresh', { body });
    if (!answer.ok) throw new Refused(`The operator's token was not renewed: ${codeOf(answer)}.`);
    keep(answer.body);
  };
  const give = async () => {
    if (tokens === undefined) return (credential as { token: string }).token;
    if (performance.now() - issuedAt > tokens.refresh_after_ms)
      await (renewing ??= renew().finally(() => (renewing = undefined)));
    return tokens.access_token;
  };
  const answer = await transport.call('/v1/admin/tenants?limit=1', { token: await give() });
  if (!answer.ok) throw new Refused(`The credential is not an operator’s: ${codeOf(answer)}.`);
  return give;
}
