import type { RestCall } from './rest.js';
import type {
  Me,
  MemberPatch,
  MemberView,
  MyRoom,
  MyRoomPatch,
  NewMember,
  NewRoom,
  Page,
  PageQuery,
  ReceiptView,
  RoomPatch,
  RoomView,
  SessionView,
  UserRole,
  UserView,
} from './types.js';

type Call = <T>(path: string, call?: RestCall) => Promise<T>;

const part = encodeURIComponent;

function withQuery(path: string, query: PageQuery): string {
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
  /** Ends the other sessions of the user. */
  changePassword(fields: { current: string; new: string }): Promise<ReceiptView> {
    return this.#post('/v1/auth/password', fields);
  }

  readonly sessions = {
    list: (query: PageQuery = {}): Promise<Page<SessionView>> =>
      this.call(withQuery('/v1/auth/sessions', query)),
    end: (id: string): Promise<ReceiptView> => this.#delete(`/v1/auth/sessions/${part(id)}`),
  };

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

  /** Of a tenant; for its admins. */
  readonly users = {
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
