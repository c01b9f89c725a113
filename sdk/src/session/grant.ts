/** The answer of a login, and of every other call that opens a session. */
export interface IssuedTokens {
  access_token: string;
  refresh_token: string;
  session_id: string;
  expires_in: number;
  refresh_after_ms: number;
}

/** In cookie mode the tokens are in cookies. */
export type TokensAnswer = Omit<IssuedTokens, 'access_token' | 'refresh_token'> &
  Partial<IssuedTokens>;

/** The content of the storage; times are wall time of this machine in ms. */
export interface Grant {
  readonly access_token?: string;
  readonly refresh_token?: string;
  readonly session_id: string;
  readonly expires_at: number;
  readonly refresh_at: number;
}

export function toGrant(answer: TokensAnswer, now: number): Grant {
  const { access_token, refresh_token } = answer;
  return {
    ...(access_token !== undefined && { access_token }),
    ...(refresh_token !== undefined && { refresh_token }),
    session_id: answer.session_id,
    expires_at: now + answer.expires_in * 1000,
    refresh_at: now + answer.refresh_after_ms,
  };
}

export function parseGrant(text: string | null): Grant | undefined {
  try {
    return text === null ? undefined : (JSON.parse(text) as Grant);
  } catch {
    return undefined;
  }
}

/** Of the same refresh; in cookie mode the times are all that tells two apart. */
export const isSameGrant = (a: Grant, b: Grant): boolean =>
  a.session_id === b.session_id &&
  a.access_token === b.access_token &&
  a.refresh_at === b.refresh_at;
