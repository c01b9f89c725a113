export { WardroomClient, type ClientEvents } from './client.js';
export type { ClientOptions } from './options.js';
export type { ConnectionState } from './connection-keeper.js';
export type { Clock } from './clock.js';
export type { SocketConstructor, SocketLike } from './connection.js';
export {
  CLIENT_CODES,
  WardroomError,
  type ClientCode,
  type ErrorKind,
  type WardroomErrorCode,
} from './errors.js';
export type { Fetch, RestCall } from './rest.js';
export type {
  Ack,
  Body,
  HistoryMessage,
  HistoryPage,
  HistoryQuery,
  PublishAck,
  Room,
} from './room.js';
export {
  WardroomSession,
  type IssuedTokens,
  type LoginFields,
  type SessionEvents,
  type SessionOptions,
} from './session.js';
export { memoryStorage, webStorage, type SessionStorage } from './session-storage.js';
export type { Gap, Reset, RoomEvents, Unsubscribed } from './subscription.js';
export type { Credential, GetToken, TokenReason } from './token-source.js';
export type { Locks } from './with-lock.js';
export type { Right, Role, RoomEventFrame, ServerFrames } from '@wardroom/protocol';
export type { Action } from '@wardroom/protocol/codes';
