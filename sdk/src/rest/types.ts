/** REST as the server answers it. A test compares these types with the schemas of the server. */
import type { Right, Role } from '@wardroom/protocol';
import type { HistoryMessage } from '../room/room.js';

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}
export interface PageQuery {
  limit?: number;
  cursor?: string;
}

export type UserRole = 'member' | 'admin' | 'operator' | 'auditor';

export interface Me {
  user_id: string;
  tenant_id: string;
  session_id: string;
  tenant: { id: string; slug: string; name: string };
  role: UserRole | 'service' | 'guest';
  email: string | null;
  name: string | null;
  avatar: string | null;
  status: string | null;
}

/** How far a change that takes rights has come; `effective`: nobody can act on the old ones. */
export interface ReceiptView {
  id: string;
  history?: string | undefined;
  effective: boolean;
  state: 'effective' | 'pending';
  sessions: number;
  connections_closed: number;
  nodes: { id: string; state: 'confirmed' | 'fenced'; ms: number }[];
  committed_ms?: number | undefined;
  ms: number;
}

export interface SessionView {
  id: string;
  tenant_id: string;
  user_id: string;
  guest: boolean;
  device: string | null;
  transport: 'body' | 'cookie';
  created_at: string;
  last_active_at: string;
  expires_at: string;
  /** The session of this client. */
  current: boolean;
}

export interface RoomView {
  id: string;
  tenant_id: string;
  slug: string | null;
  name: string;
  visibility: 'public' | 'private' | 'direct';
  posting: 'members' | 'moderators';
  topic: string | null;
  description: string | null;
  /** Everybody reads, nobody writes. */
  archived: boolean;
  /** Prefix of a kind: the least role that may publish or signal it. */
  kinds: Record<string, Role>;
  /** Of the last durable event. */
  seq: number;
  /** The caller's own; null for a reader who is no member. */
  role: Role | null;
  can: Right[];
  /** Not in lists. */
  members_count?: number | undefined;
  created_at: string;
}
interface GroupRoomFields {
  name: string;
  slug?: string | undefined;
  posting?: 'members' | 'moderators' | undefined;
}
export type NewRoom =
  | ({ visibility: 'public' } & GroupRoomFields)
  | ({ visibility: 'private' } & GroupRoomFields)
  | { visibility: 'direct'; members: string[]; name?: string | undefined };
export interface RoomPatch {
  name?: string | undefined;
  slug?: string | null | undefined;
  visibility?: 'public' | 'private' | undefined;
  posting?: 'members' | 'moderators' | undefined;
  topic?: string | null | undefined;
  description?: string | null | undefined;
  archived?: boolean | undefined;
  kinds?: Record<string, Role> | undefined;
}

/** One of the caller's own rooms, as a list shows it. */
export interface MyRoom {
  room: RoomView;
  last_message: {
    message_id: string;
    seq: number;
    n: number;
    sender: string;
    kind: string;
    at: string;
    edited_at: string | null;
    deleted_at: string | null;
    /** Null when deleted, or too long for a list. */
    body: unknown;
    /** The beginning of a body that is a text or has one. */
    text: string | null;
  } | null;
  last_n: number;
  read_n: number;
  /** `last_n - read_n` */
  unread: number;
  /** Unread messages that mention the caller. */
  mentions: number;
  favourite: boolean;
  notify: 'all' | 'mentions' | 'none';
  /** The other user of a direct room. */
  peer: { id: string; name: string } | null;
}
export interface MyRoomPatch {
  favourite?: boolean | undefined;
  notify?: 'all' | 'mentions' | 'none' | undefined;
}

export interface MemberView {
  room_id: string;
  user_id: string;
  name: string;
  /** Null: banned without being a member. */
  role: Role | null;
  muted_until: string | null;
  banned: boolean;
  version: number;
  created_at: string;
}
export interface NewMember {
  user: string;
  role?: Role | undefined;
}
export interface MemberPatch {
  role?: Role | undefined;
  muted_until?: string | null | undefined;
  banned?: boolean | undefined;
}

export interface UserView {
  id: string;
  tenant_id: string;
  email: string;
  name: string;
  role: UserRole;
  state: 'active' | 'suspended';
  created_at: string;
}

export interface PersonView {
  id: string;
  name: string;
  /** An https URL of a picture. */
  avatar: string | null;
  status: string | null;
  state: 'active' | 'suspended';
  /** For admins of the tenant. */
  email?: string | undefined;
}
export interface ProfilePatch {
  name?: string | undefined;
  avatar?: string | null | undefined;
  status?: string | null | undefined;
}

export interface ChangeAck {
  room: string;
  message_id: string;
  seq: number;
}
/** A body of a message; the first one is no edit. */
export interface MessageEdit {
  seq: number;
  sender: string;
  at: string;
  body: unknown;
}
export interface SearchQuery {
  /** Words, `"phrases"`, `or` and `-without`. */
  q: string;
  room?: string;
  sender?: string;
  /** Times. */
  before?: string;
  after?: string;
  limit?: number;
  cursor?: string;
}
export interface FoundMessage {
  message: HistoryMessage<unknown>;
  /** The words found, in UTF-16 units of the text of the body. */
  ranges: { from: number; to: number }[];
}
export interface PinnedMessage {
  message: HistoryMessage<unknown>;
  pinned_by: string;
  pinned_at: string;
}

interface InviteFields {
  id: string;
  /** Null: no limit. */
  max_uses: number | null;
  uses: number;
  expires_at: string;
  created_by: string;
  created_at: string;
}
interface InviteCode {
  /** Shown once. */
  code: string;
  /** A page with the code in its fragment. */
  url: string;
}
interface NewInvite {
  /** Absent: no limit. */
  max_uses?: number | undefined;
  /** Seconds. Default: a week. */
  expires_in?: number | undefined;
}
export interface RoomInvite extends InviteFields {
  role: Exclude<Role, 'owner'>;
}
export interface CreatedRoomInvite extends RoomInvite, InviteCode {}
export interface NewRoomInvite extends NewInvite {
  role?: Exclude<Role, 'owner'> | undefined;
}
export interface TenantInvite extends InviteFields {
  /** The only address that may register by it. */
  email: string | null;
}
export interface CreatedTenantInvite extends TenantInvite, InviteCode {
  /** Sent to the address, too. */
  mailed: boolean;
}
export interface NewTenantInvite extends NewInvite {
  email?: string | undefined;
}
