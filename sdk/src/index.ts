export { WardroomClient } from './full-client.js';
export type { ClientEvents } from './client.js';
export type { ClientOptions } from './options.js';
export type { ConnectionState } from './connection/connection-keeper.js';
export type { Clock } from './clock.js';
export type { SocketConstructor, SocketLike } from './connection/connection.js';
export type { Debug, DebugOption } from './debug.js';
export {
  CLIENT_CODES,
  WardroomError,
  type ClientCode,
  type ErrorKind,
  type FieldError,
  type WardroomErrorCode,
} from './errors.js';
export type { Api } from './rest/api.js';
export type { Fetch, RestCall } from './rest/rest.js';
export type {
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
} from './rest/types.js';
export type {
  Ack,
  Body,
  HistoryMessage,
  HistoryPage,
  HistoryQuery,
  PublishAck,
  PublishOptions,
} from './room/room.js';
export type { FullRoom as Room } from './room/full-room.js';
export type { People, PeopleSnapshot } from './timeline/people.js';
export type { RoomList, RoomListSnapshot } from './timeline/room-list.js';
export type { Timeline, TimelineOptions, TimelineSnapshot } from './timeline/timeline.js';
export type { TimelineMessage, TimelineReaction } from './timeline/timeline-message.js';
export {
  WardroomSession,
  type ExchangeFields,
  type IssuerSignInFields,
  type GuestFields,
  type LoginFields,
  type RegisterFields,
  type SessionEvents,
  type SessionOptions,
  type SignInIssuer,
  type SignedIn,
} from './session/session.js';
export type { IssuedTokens } from './session/grant.js';
export {
  memoryStorage,
  webStorage,
  type SessionStorage,
  type StorageArea,
} from './session/session-storage.js';
export type { Gap, Reset, RoomEvents, Unsubscribed } from './room/subscription.js';
export type { Credential, GetToken, TokenReason } from './session/token-source.js';
export type { Locks } from './session/with-lock.js';
export type { Right, Role, RoomEventFrame, ServerFrames } from '@wardroom/protocol';
export type { Action } from '@wardroom/protocol/codes';
