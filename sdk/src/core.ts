/**
 * The part of `@wardroom/client` that fits into 12 kB: connection, session and rooms, without the
 * timeline and the typed REST calls.
 */
export { CoreClient as WardroomClient, type ClientEvents } from './client.js';
export type { ClientOptions } from './options.js';
export { CLIENT_CODES, WardroomError } from './errors.js';
export { WardroomSession } from './session/session.js';
export { memoryStorage, webStorage } from './session/session-storage.js';
export type { Room } from './room/room.js';
