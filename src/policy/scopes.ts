/**
 * Scopes of a service account. A scope opens calls and frames; what they may do in a room or a
 * tenant is decided by the ladders as for everybody.
 */
export const SCOPES = [
  'rooms',
  'members',
  'messages',
  'users',
  'sessions',
  'revoke',
  'webhooks',
  'act_as',
] as const;
export type Scope = (typeof SCOPES)[number];
