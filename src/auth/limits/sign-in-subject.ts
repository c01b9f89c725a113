/** Whom a sign-in is about, as far as it got. */
export interface SignInSubject {
  tenant: string | null;
  user: string | null;
}

/** The way in. */
export type SignInMethod = 'password' | 'registration' | 'guest' | 'exchange' | 'try_out';
