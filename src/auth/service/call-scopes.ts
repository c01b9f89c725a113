/**
 * Scopes of REST calls, by method and path of the operation. A service account may make the calls
 * of this table; any other is `scope_required`. null: each account may.
 */
import type { Scope } from '../../policy/scopes.js';

export const CALL_SCOPES: Readonly<Record<string, Scope | null>> = {
  'post /v1/auth/token': 'messages',
  'post /v1/auth/ticket': 'messages',
  'post /v1/auth/logout': null,
  'get /v1/me': null,

  'get /v1/rooms': 'rooms',
  'post /v1/rooms': 'rooms',
  'get /v1/rooms/{room}': 'rooms',
  'patch /v1/rooms/{room}': 'rooms',
  'delete /v1/rooms/{room}': 'rooms',

  'post /v1/rooms/{room}/join': 'members',
  'post /v1/rooms/{room}/leave': 'members',
  'get /v1/rooms/{room}/members': 'members',
  'post /v1/rooms/{room}/members': 'members',
  'patch /v1/rooms/{room}/members/{user}': 'members',
  'delete /v1/rooms/{room}/members/{user}': 'members',
  'get /v1/rooms/{room}/invites': 'members',
  'post /v1/rooms/{room}/invites': 'members',
  'delete /v1/rooms/{room}/invites/{code}': 'members',
  'post /v1/invites/{code}/accept': 'members',

  'get /v1/me/rooms': 'messages',
  'patch /v1/me/rooms/{room}': 'messages',
  'get /v1/rooms/{room}/messages': 'messages',
  'post /v1/rooms/{room}/messages': 'messages',
  'get /v1/rooms/{room}/messages/{id}': 'messages',
  'get /v1/rooms/{room}/messages/{id}/edits': 'messages',
  'patch /v1/rooms/{room}/messages/{id}': 'messages',
  'delete /v1/rooms/{room}/messages/{id}': 'messages',
  'get /v1/rooms/{room}/pins': 'messages',
  'put /v1/rooms/{room}/pins/{message}': 'messages',
  'delete /v1/rooms/{room}/pins/{message}': 'messages',
  'get /v1/search': 'messages',

  'get /v1/users': 'users',
  'get /v1/users/{id}': 'users',
  'get /v1/admin/tenants/{tenant}/users': 'users',
  'post /v1/admin/tenants/{tenant}/users': 'users',
  'patch /v1/admin/users/{user}': 'users',
  'get /v1/admin/sessions': 'sessions',
  'post /v1/service/sessions': 'sessions',
  'post /v1/service/sessions/revoke': 'sessions',
  'post /v1/admin/revocations': 'revoke',
  'get /v1/receipts/{id}': null,
};

/** Calls that act in rooms: with these a service account may act as a user. */
export const isRoomCall = (call: string): boolean => {
  const scope = CALL_SCOPES[call];
  const inRooms = scope === 'rooms' || scope === 'members' || scope === 'messages';
  return inRooms && !call.includes('/v1/auth/');
};
