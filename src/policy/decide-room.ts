/**
 * Rights in a room: the rights table of the contract (section 2) as pure ladders. The happy path is
 * the last line of each; every refusal has a named rule; the default is no. REST and WebSocket ask
 * the same functions.
 */
import type { ErrorCode } from '@wardroom/protocol/codes';
import type { Scope } from './scopes.js';
import type { Right, Role } from '@wardroom/protocol';
import { isSystemRole } from '../platform/stores/system-tenant.js';
import type { Facts, MemberFacts, RoomFacts, UserFacts } from './facts.js';

export type RoomAction =
  | 'read'
  // Of a connection that gets the events of the room.
  | 'subscribe'
  | 'presence'
  | 'mark_read'
  | 'publish'
  | 'signal'
  | 'typing'
  | 'react'
  | 'edit'
  | 'delete'
  | 'pin'
  | 'join'
  | 'accept_invite'
  | 'leave'
  | 'add_member'
  | 'moderate_member'
  | 'change_role'
  | 'manage_room';

export interface Allow {
  readonly allow: true;
  readonly rule: string;
  /** The facts of the decision; `room` is theirs. */
  readonly facts: Facts;
  readonly room: RoomFacts;
  /**
   * Role in the room; null for a reader of a public room who is no member. A tenant admin counts as
   * owner.
   */
  readonly role: Role | null;
}
export interface Deny {
  readonly allow: false;
  readonly rule: string;
  readonly code: ErrorCode;
}
export type Decision = Allow | Deny;

/** The object of the action, where it matters. */
export interface ActionTarget {
  /** Author of the message of an edit or deletion. */
  readonly author?: string;
  /** The member an `add_member`, `moderate_member` or `change_role` is about, as it is now. */
  readonly member?: MemberFacts;
  /** The role it is to get. */
  readonly newRole?: Role;
}

const deny = (rule: string, code: ErrorCode): Deny => ({ allow: false, rule, code });

/** A new room is nobody's yet: only what the caller is counts. */
export function decideCreate({
  role,
}: Pick<UserFacts, 'role'>): { readonly allow: true; readonly rule: string } | Deny {
  if (role === 'guest') return deny('create.1_guest', 'guest_read_only');
  if (isSystemRole(role)) return deny('create.2_operator', 'role_required');
  return { allow: true, rule: 'create.3_user' };
}

export function decideRoom(
  userId: string,
  facts: Facts,
  action: RoomAction,
  target: ActionTarget = {},
  nowMs = Date.now(),
): Decision {
  if (action === 'accept_invite') return decideAccept(facts);
  const seen = decideRead(facts);
  if (!seen.allow) return seen;
  const scoped = decideScope(facts.user, action);
  if (scoped !== null) return scoped;
  switch (action) {
    case 'read':
    case 'subscribe':
    case 'presence':
      return seen;
    case 'join':
      return decideJoin(facts, seen);
    case 'mark_read':
      return decideMember(facts, seen);
    case 'leave':
      return decideLeave(facts, seen);
    case 'publish':
    case 'signal':
    case 'typing':
    case 'react':
      return decideWrite(facts, seen, nowMs);
    case 'edit':
      return decideEdit(userId, facts, seen, target, nowMs);
    case 'pin':
      return decidePin(facts, seen, nowMs);
    case 'delete':
      return decideDelete(userId, facts, seen, target);
    case 'add_member':
      return decideAdd(facts, seen, target);
    case 'moderate_member':
      return decideModerate(facts, seen, target);
    case 'change_role':
    case 'manage_room':
      return decideOwner(facts, seen);
  }
}

function decideRead(facts: Facts): Decision {
  const { room, member, user } = facts;
  if (room === null || !room.open) return deny('read.1_no_such_room', 'not_found');
  if (!user.active) return deny('read.2_user_inactive', 'not_found');
  if (isSystemRole(user.role)) return deny('read.3_operators_have_no_rooms', 'not_found');
  if (member.banned) return deny('read.4_banned', 'not_found');
  if (ownsRooms(user.role) && room.visibility !== 'direct')
    return { allow: true, rule: 'read.5_tenant_admin', facts, room, role: 'owner' };
  if (member.role !== null)
    return { allow: true, rule: 'read.6_member', facts, room, role: member.role };
  if (room.visibility === 'public')
    return { allow: true, rule: 'read.7_public', facts, room, role: null };
  return deny('read.8_not_public', 'not_found');
}

/** Scope that an action needs of a service account; null: each of them will do. */
const SCOPE_OF: Readonly<Record<RoomAction, Scope | null>> = {
  read: null,
  subscribe: 'messages',
  presence: 'messages',
  mark_read: 'messages',
  publish: 'messages',
  signal: 'messages',
  typing: 'messages',
  react: 'messages',
  edit: 'messages',
  delete: 'messages',
  pin: 'messages',
  join: 'members',
  accept_invite: 'members',
  leave: 'members',
  add_member: 'members',
  moderate_member: 'members',
  change_role: 'members',
  manage_room: 'rooms',
};

function decideScope({ role, scopes }: UserFacts, action: RoomAction): Deny | null {
  if (role !== 'service') return null;
  const scope = SCOPE_OF[action];
  return scope === null || scopes?.includes(scope) === true
    ? null
    : deny('service.1_scope', 'scope_required');
}

/** Counts as owner of every room of the tenant, direct ones excepted. */
export const ownsRooms = (role: UserFacts['role']): boolean =>
  role === 'admin' || role === 'service';

function decideMember({ user }: Facts, seen: Allow): Decision {
  if (user.role === 'guest') return deny('member.1_guest', 'guest_read_only');
  if (seen.role === null) return deny('member.2_not_a_member', 'not_a_member');
  return { ...seen, rule: 'member.3_member' };
}

function decideLeave(facts: Facts, seen: Allow): Decision {
  const inside = decideMember(facts, seen);
  if (!inside.allow) return inside;
  if (seen.room.visibility === 'direct') return deny('leave.1_direct_is_fixed', 'role_required');
  return { ...seen, rule: 'leave.2_member' };
}

function decideJoin({ user, room, member }: Facts, seen: Allow): Decision {
  if (user.role === 'guest') return deny('join.1_guest', 'guest_read_only');
  if (member.role !== null) return { ...seen, rule: 'join.2_already_in' };
  if (room!.visibility !== 'public' && !ownsRooms(user.role))
    return deny('join.3_by_invitation', 'role_required');
  return { ...seen, rule: 'join.4_public' };
}

/** The code of an invitation opens a room that its holder may not read yet. */
function decideAccept(facts: Facts): Decision {
  const { room, member, user } = facts;
  if (room === null || !room.open) return deny('accept.1_no_such_room', 'not_found');
  if (user.role === 'guest') return deny('accept.2_guest', 'guest_read_only');
  if (!user.active || isSystemRole(user.role))
    return deny('accept.3_no_user_of_the_tenant', 'not_found');
  if (member.banned) return deny('accept.4_banned', 'not_found');
  if (room.visibility === 'direct') return deny('accept.5_direct_is_fixed', 'not_found');
  return { allow: true, rule: 'accept.6_invited', facts, room, role: member.role };
}

function decideWrite(facts: Facts, seen: Allow, nowMs: number): Decision {
  const inside = decideMember(facts, seen);
  if (!inside.allow) return inside;
  if (seen.room.archived) return deny('write.0_archived', 'read_only');
  if (!ownsRooms(facts.user.role) && isMuted(facts.member, nowMs))
    return deny('write.1_muted', 'muted');
  if (seen.role === 'viewer') return deny('write.2_viewer', 'read_only');
  if (seen.role === 'member' && seen.room.posting === 'moderators')
    return deny('write.3_moderators_post', 'read_only');
  return { ...seen, rule: 'write.4_may_post' };
}

function decideEdit(
  userId: string,
  facts: Facts,
  seen: Allow,
  target: ActionTarget,
  nowMs: number,
): Decision {
  const writer = decideWrite(facts, seen, nowMs);
  if (!writer.allow) return writer;
  if (target.author !== userId) return deny('edit.1_not_the_author', 'role_required');
  return { ...seen, rule: 'edit.2_author' };
}

function decideDelete(userId: string, facts: Facts, seen: Allow, target: ActionTarget): Decision {
  if (facts.user.role === 'guest') return deny('delete.1_guest', 'guest_read_only');
  if (seen.role === null) return deny('delete.2_not_a_member', 'not_a_member');
  if (seen.room.archived) return deny('delete.2_archived', 'read_only');
  if (target.author === userId) return { ...seen, rule: 'delete.3_author' };
  if (!moderates(seen.role)) return deny('delete.4_role', 'role_required');
  return { ...seen, rule: 'delete.5_moderates' };
}

/** A direct room has no moderators: both of its users pin. */
function decidePin(facts: Facts, seen: Allow, nowMs: number): Decision {
  const writer = decideWrite(facts, seen, nowMs);
  if (!writer.allow) return writer;
  if (seen.room.visibility === 'direct') return { ...seen, rule: 'pin.1_direct' };
  if (!moderates(seen.role)) return deny('pin.2_role', 'role_required');
  return { ...seen, rule: 'pin.3_moderates' };
}

function decideAdd(facts: Facts, seen: Allow, { newRole }: ActionTarget): Decision {
  const leads = decideLeads(facts, seen);
  if (!leads.allow) return leads;
  if (leads.role === 'moderator' && (newRole === 'owner' || newRole === 'moderator'))
    return deny('add.1_above_own_rank', 'role_required');
  return { ...leads, rule: 'add.2_may_invite' };
}

function decideModerate(facts: Facts, seen: Allow, { member }: ActionTarget): Decision {
  const leads = decideLeads(facts, seen);
  if (!leads.allow) return leads;
  if (leads.role === 'moderator' && (member?.role === 'owner' || member?.role === 'moderator'))
    return deny('moderate.1_rank', 'role_required');
  return { ...leads, rule: 'moderate.2_outranks' };
}

/** Owner or moderator of a room whose members are not fixed. */
function decideLeads(facts: Facts, seen: Allow): Decision {
  const inside = decideMember(facts, seen);
  if (!inside.allow) return inside;
  if (seen.room.visibility === 'direct') return deny('lead.1_direct_is_fixed', 'role_required');
  if (!moderates(seen.role)) return deny('lead.2_role', 'role_required');
  return { ...seen, rule: 'lead.3_leads' };
}

function decideOwner(facts: Facts, seen: Allow): Decision {
  const inside = decideMember(facts, seen);
  if (!inside.allow) return inside;
  if (seen.room.visibility === 'direct') return deny('own.1_direct_is_fixed', 'role_required');
  if (seen.role !== 'owner') return deny('own.2_role', 'role_required');
  return { ...seen, rule: 'own.3_owner' };
}

const RANK: Record<Role, number> = { viewer: 1, member: 2, moderator: 3, owner: 4 };
export const rankOf = (role: Role | null): number => (role === null ? 0 : RANK[role]);
/** Moderators and owners. */
export const moderates = (role: Role | null): boolean => rankOf(role) >= RANK.moderator;

export function isMuted(member: MemberFacts, nowMs: number): boolean {
  return member.mutedUntilMs !== null && member.mutedUntilMs > nowMs;
}

const RIGHTS: readonly [Right, RoomAction, ActionTarget?][] = [
  ['read', 'read'],
  ['presence', 'presence'],
  ['publish', 'publish'],
  ['signal', 'signal'],
  ['typing', 'typing'],
  ['react', 'react'],
  ['edit_own', 'edit', { author: 'self' }],
  ['delete_own', 'delete', { author: 'self' }],
  ['delete_any', 'delete', { author: 'somebody else' }],
  ['manage_members', 'moderate_member'],
  ['manage_room', 'manage_room'],
];

/** `can` of `subscribed` and `access`, from the very same ladders. */
export function rightsIn(facts: Facts): Right[] {
  return RIGHTS.filter(([, action, target]) => decideRoom('self', facts, action, target).allow).map(
    ([right]) => right,
  );
}
