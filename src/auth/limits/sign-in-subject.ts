/** The subject of a sign-in, as far as it is known. */
export interface SignInSubject {
  tenant: string | null;
  user: string | null;
}

/** The way in. */
export type SignInMethod =
  'password' | 'registration' | 'guest' | 'exchange' | 'try_out' | 'service';
