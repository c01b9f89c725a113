import type { HistoryMessage } from '../room/room.js';
import type { RestCall } from './rest.js';
import type {
  ChangeAck,
  CreatedRoomInvite,
  CreatedTenantInvite,
  FoundMessage,
  Me,
  MemberPatch,
  MemberView,
  MessageEdit,
  MyRoom,
  MyRoomPatch,
  NewMember,
  NewRoom,
  NewRoomInvite,
  NewTenantInvite,
  Page,
  PageQuery,
  PersonView,
  PinnedMessage,
  ProfilePatch,
  ReceiptView,
  RoomInvite,
  RoomPatch,
  RoomView,
  SearchQuery,
  SessionView,
  TenantInvite,
  UserRole,
  UserView,
} from './types.js';

type Call = <T>(path: string, call?: RestCall) => Promise<T>;

const part = encodeURIComponent;

function withQuery(path: string, query: object): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [string, string | number | undefined][])
    if (value !== undefined) search.set(name, String(value));
  const asked = search.toString();
  return asked === '' ? path : `${path}?${asked}`;
}

/** The REST calls of an application, typed. A room is named by id or slug, a user by id. */
export class Api {
  constructor(private readonly call: Call) {}

  /** The user that is signed in. */
  me(): Promise<Me> {
    return this.call('/v1/me');
  }
  /** Name, picture and status of the user. */
  updateMe(fields: ProfilePatch): Promise<Me> {
    return this.#patch('/v1/me', fields);
  }
  /** Ends the other sessions of the user. */
  changePassword(fields: { current: string; new: string }): Promise<ReceiptView> {
    return this.#post('/v1/auth/password', fields);
  }

  /** The signed-in devices of the user. */
  readonly sessions = {
    list: (query: PageQuery = {}): Promise<Page<SessionView>> =>
      this.call(withQuery('/v1/auth/sessions', query)),
    end: (id: string): Promise<ReceiptView> => this.#delete(`/v1/auth/sessions/${part(id)}`),
  };

  /** Rooms, and the caller's own list of them (`mine`). */
  readonly rooms = {
    list: (query: PageQuery = {}): Promise<Page<RoomView>> =>
      this.call(withQuery('/v1/rooms', query)),
    get: (room: string): Promise<RoomView> => this.call(`/v1/rooms/${part(room)}`),
    create: (fields: NewRoom): Promise<RoomView> => this.#post('/v1/rooms', fields),
    update: (
      room: string,
      fields: RoomPatch,
    ): Promise<{ room: RoomView; receipt: ReceiptView | null }> =>
      this.#patch(`/v1/rooms/${part(room)}`, fields),
    delete: (room: string): Promise<ReceiptView> => this.#delete(`/v1/rooms/${part(room)}`),
    /** The caller's own, newest activity first. */
    mine: (query: PageQuery = {}): Promise<Page<MyRoom>> =>
      this.call(withQuery('/v1/me/rooms', query)),
    setMine: (room: string, fields: MyRoomPatch): Promise<MyRoom> =>
      this.#patch(`/v1/me/rooms/${part(room)}`, fields),
    join: (room: string): Promise<MemberView> => this.#post(`/v1/rooms/${part(room)}/join`, {}),
    leave: (room: string): Promise<ReceiptView> => this.#post(`/v1/rooms/${part(room)}/leave`, {}),
  };

  /** Members of a room. */
  readonly members = {
    list: (room: string, query: PageQuery = {}): Promise<Page<MemberView>> =>
      this.call(withQuery(`/v1/rooms/${part(room)}/members`, query)),
    add: (
      room: string,
      fields: NewMember,
    ): Promise<{ member: MemberView; receipt: ReceiptView | null }> =>
      this.#post(`/v1/rooms/${part(room)}/members`, fields),
    update: (
      room: string,
      user: string,
      fields: MemberPatch,
    ): Promise<{ member: MemberView; receipt: ReceiptView | null }> =>
      this.#patch(`/v1/rooms/${part(room)}/members/${part(user)}`, fields),
    remove: (room: string, user: string): Promise<ReceiptView> =>
      this.#delete(`/v1/rooms/${part(room)}/members/${part(user)}`),
  };

  /** Links into rooms. The code of a link is shown once. */
  readonly invites = {
    create: (room: string, fields: NewRoomInvite = {}): Promise<CreatedRoomInvite> =>
      this.#post(`/v1/rooms/${part(room)}/invites`, fields),
    /** Those that are alive, newest first. */
    list: (room: string): Promise<Page<RoomInvite>> => this.call(`/v1/rooms/${part(room)}/invites`),
    withdraw: (room: string, idOrCode: string): Promise<{ id: string }> =>
      this.#delete(`/v1/rooms/${part(room)}/invites/${part(idOrCode)}`),
    /** The caller becomes a member of the room that the link leads into. */
    accept: (code: string): Promise<MemberView> =>
      this.#post(`/v1/invites/${part(code)}/accept`, {}),
  };

  /** Stored messages: search, pins, earlier bodies. */
  readonly messages = {
    get: (room: string, message: string): Promise<HistoryMessage<unknown>> =>
      this.call(`/v1/rooms/${part(room)}/messages/${part(message)}`),
    /** Its bodies, oldest first; for the author and moderators. */
    edits: (room: string, message: string): Promise<{ items: MessageEdit[] }> =>
      this.call(`/v1/rooms/${part(room)}/messages/${part(message)}/edits`),
    /** In all rooms that the caller may read now, newest first. */
    search: (query: SearchQuery): Promise<Page<FoundMessage>> =>
      this.call(withQuery('/v1/search', query)),
    pins: (room: string): Promise<{ items: PinnedMessage[] }> =>
      this.call(`/v1/rooms/${part(room)}/pins`),
    pin: (room: string, message: string): Promise<ChangeAck> =>
      this.call(`/v1/rooms/${part(room)}/pins/${part(message)}`, { method: 'PUT', body: {} }),
    unpin: (room: string, message: string): Promise<ChangeAck> =>
      this.#delete(`/v1/rooms/${part(room)}/pins/${part(message)}`),
  };

  /** The people of the tenant. */
  readonly users = {
    /** `q` is the beginning of a name. */
    list: (query: PageQuery & { q?: string } = {}): Promise<Page<PersonView>> =>
      this.call(withQuery('/v1/users', query)),
    get: (user: string): Promise<PersonView> => this.call(`/v1/users/${part(user)}`),
  };

  /** Users of a tenant and links into it, for its admins. */
  readonly accounts = {
    list: (tenant: string, query: PageQuery = {}): Promise<Page<UserView>> =>
      this.call(withQuery(`/v1/admin/tenants/${part(tenant)}/users`, query)),
    create: (
      tenant: string,
      fields: { email: string; password: string; name: string; role?: UserRole },
    ): Promise<UserView> => this.#post(`/v1/admin/tenants/${part(tenant)}/users`, fields),
    update: (
      user: string,
      fields: { state?: 'active' | 'suspended'; role?: UserRole; name?: string },
    ): Promise<{ user: UserView; receipt: ReceiptView | null }> =>
      this.#patch(`/v1/admin/users/${part(user)}`, fields),
    /** A link by which people register in the tenant. */
    invite: (tenant: string, fields: NewTenantInvite = {}): Promise<CreatedTenantInvite> =>
      this.#post(`/v1/admin/tenants/${part(tenant)}/invites`, fields),
    invites: (tenant: string): Promise<Page<TenantInvite>> =>
      this.call(`/v1/admin/tenants/${part(tenant)}/invites`),
    withdrawInvite: (tenant: string, idOrCode: string): Promise<{ id: string }> =>
      this.#delete(`/v1/admin/tenants/${part(tenant)}/invites/${part(idOrCode)}`),
  };

  #post<T>(path: string, body: unknown): Promise<T> {
    return this.call(path, { method: 'POST', body });
  }
  #patch<T>(path: string, body: unknown): Promise<T> {
    return this.call(path, { method: 'PATCH', body });
  }
  #delete<T>(path: string): Promise<T> {
    return this.call(path, { method: 'DELETE' });
  }
}
