/**
 * The facts of a decision. Loaded together from one snapshot, replaced when the authority log
 * changes them.
 */
import type { Role } from '@wardroom/protocol';
import type { UserRole } from '../platform/stores/system-tenant.js';

export interface RoomFacts {
  readonly id: string;
  readonly tenantId: string;
  readonly slug: string | null;
  readonly visibility: 'public' | 'private' | 'direct';
  readonly posting: 'members' | 'moderators';
  readonly open: boolean;
  /** Everybody reads it as before, and nobody writes. */
  readonly archived: boolean;
  /** Prefix of a kind: the least role that may publish or signal it; the longest prefix counts. */
  readonly kinds: Readonly<Record<string, Role>>;
  /** rooms.authz_epoch: moved by every change that shrinks rights in the room. */
  readonly epoch: number;
  readonly version: number;
}

export interface MemberFacts {
  /** Null: not a member (never was, or no longer). */
  readonly role: Role | null;
  readonly mutedUntilMs: number | null;
  readonly banned: boolean;
  readonly version: number;
}

export interface UserFacts {
  /** `guest`: a session without a user row. */
  readonly role: UserRole | 'guest';
  readonly active: boolean;
  /**
   * users.version; 0 for guests. Sessions carry the same number, so a statement can see that it
   * moved.
   */
  readonly version: number;
  /** Of a service account alone. */
  readonly scopes?: readonly string[];
}

export interface Facts {
  /** Null: no such room in the tenant. */
  readonly room: RoomFacts | null;
  readonly member: MemberFacts;
  readonly user: UserFacts;
}

export const NOT_A_MEMBER: MemberFacts = {
  role: null,
  mutedUntilMs: null,
  banned: false,
  version: 0,
};
/** Facts of a question that is about no room: only what the caller is counts. */
export const factsWithoutRoom = (role: UserFacts['role']): Facts => ({
  room: null,
  member: NOT_A_MEMBER,
  user: { role, active: true, version: 0 },
});
export const GUEST: UserFacts = { role: 'guest', active: true, version: 0 };

/** The columns of a row that joins a member and a user, both of which may be missing. */
export interface StandingRow {
  member_version: number | null;
  role: Role | null;
  muted_until: Date | null;
  banned: boolean | null;
  user_role: UserFacts['role'] | null;
  user_state: string | null;
  user_version: number | null;
  user_scopes: string[] | null;
}

export function standingOf(row: StandingRow): Pick<Facts, 'member' | 'user'> {
  return {
    member:
      row.member_version === null
        ? NOT_A_MEMBER
        : {
            role: row.role,
            mutedUntilMs: row.muted_until?.getTime() ?? null,
            banned: row.banned === true,
            version: row.member_version,
          },
    user:
      row.user_role === null
        ? GUEST
        : {
            role: row.user_role,
            active: row.user_state === 'active',
            version: row.user_version!,
            ...(row.user_role === 'service' ? { scopes: row.user_scopes ?? [] } : {}),
          },
  };
}
