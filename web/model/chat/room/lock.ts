/** Why nobody writes in a room now. */
import type { Texts } from '../texts/en.js';

/** A room that is `open` may be written in. */
export type Lock =
  | 'open'
  | 'loading'
  | 'paused'
  | 'renewing'
  | 'signed_out'
  | 'stopped'
  | 'ended'
  | 'guest'
  | 'not_member'
  | 'viewer'
  | 'muted'
  | 'archived'
  | 'moderators_post'
  | 'restricted';

/** Read-only here, and why; undefined: it is not that. */
export function readOnlyText(lock: Lock, t: Texts['banner']): string | undefined {
  return (t.locks as Partial<Record<Lock, string>>)[lock];
}
