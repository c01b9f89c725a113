/**
 * Facts that can shrink or change what somebody may do. Each is one row of `authority_events`,
 * numbered by `authority_head` in commit order. Changes that only add rights use the same shapes,
 * but are announced without a number. Source: docs/authority.md.
 */
import type { CloseCode } from '@wardroom/protocol/codes';
import type { Role } from '@wardroom/protocol';
import type { UserRole } from '../platform/stores/system-tenant.js';

/**
 * Why sessions ended: the code their connections are closed with and their tokens are refused with.
 */
export type EndReason = Extract<
  CloseCode,
  'session_revoked' | 'session_expired' | 'token_reuse' | 'user_suspended' | 'tenant_disabled'
>;

/**
 * `onlyShown`: nothing that a decision needs has changed, only what people see, such as a name.
 */
export type AuthorityEvent =
  | { kind: 'session.ended'; sessions: string[]; reason: EndReason }
  /**
   * Role or state of a user; when suspended, its sessions are named by a `session.ended` of the
   * same transaction.
   */
  | {
      kind: 'user.changed';
      user: string;
      state: 'active' | 'suspended';
      role: UserRole;
      version: number;
      onlyShown?: true | undefined;
    }
  /**
   * A disabled tenant closes everything of it; a restored one names sessions with live tokens in a
   * `session.ended` before.
   */
  | {
      kind: 'tenant.changed';
      tenant: string;
      state: 'active' | 'disabled';
      allow_guests: boolean;
      version: number;
    }
  /** `role: null`: no longer a member. `epoch`: the room's authz_epoch after this change. */
  | {
      kind: 'member.changed';
      room: string;
      user: string;
      role: Role | null;
      muted_until: string | null;
      banned: boolean;
      version: number;
      epoch: number;
      /** The role before, null for one who was banned; absent from a node of the version before. */
      was?: Role | null | undefined;
    }
  | {
      kind: 'room.changed';
      room: string;
      state: 'open' | 'closed';
      visibility: 'public' | 'private' | 'direct';
      posting: 'members' | 'moderators';
      version: number;
      epoch: number;
      onlyShown?: true | undefined;
    }
  | { kind: 'key.added'; kid: string }
  | { kind: 'key.withdrawn'; kid: string }
  /**
   * The database came back without its newest commits. Never applied: a node that meets it reloads,
   * and what was derived from the lost history is dropped (`AuthorityState.onHistoryReplaced`).
   */
  | { kind: 'history.replaced'; history: string; previous: string };

/**
 * An event of the log. `hash` (hex) covers it and every event before it, `prev` is that of the
 * event before.
 */
export interface LoggedEvent {
  n: number;
  event: AuthorityEvent;
  prev: string;
  hash: string;
}

/**
 * Announcements between nodes: `n` is null for a change that only adds rights, which is not logged.
 */
export type NumberedEvent = LoggedEvent | { n: null; event: AuthorityEvent };
