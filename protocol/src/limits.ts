/**
 * Fixed limits of protocol `wardroom.v1`; those that operators may change are in
 * src/platform/config/config.ts. No dependency: this file also runs in browsers, inside the SDK.
 */
export const PROTOCOL = 'wardroom.v1';
/** Offered beside `wardroom.v1` as `bearer.<jwt>`; never echoed. */
export const BEARER_SUBPROTOCOL_PREFIX = 'bearer.';
export const WS_PATH = '/v1/ws';
/** The same endpoint, for clients that are given a host and expect `/ws`. */
export const WS_ALIAS = '/ws';

export const LIMITS = {
  /** Client-chosen `id` of a frame, UTF-16 units. */
  frameIdChars: 64,
  /** Nesting of arrays and objects in a frame or body. */
  jsonDepth: 32,
  /** `body` of publish, edit and signal as JSON text, bytes. */
  bodyBytes: 32 * 1024,
  opIdChars: 64,
  /** Users that one message mentions. */
  mentions: 50,
  /** `epoch` of a room, UTF-16 units. */
  epochChars: 128,
  kindChars: 64,
  emojiChars: 32,
  /** First-message authentication, bytes. */
  authFrameBytes: 4 * 1024,
  /** Frames that may wait while a credential is verified. */
  waitingFrames: 16,
  waitingBytes: 16 * 1024,
  /** Frames of a connection that wait to be handled, bytes; beyond it its socket is not read. */
  inboxBytes: 256 * 1024,
  /** Events one `subscribe since` replays. */
  replayEvents: 1000,
  /** Largest page of any REST list. */
  pageItems: 200,
  /** Different emojis on a message, from all and from one user. */
  emojis: 50,
  emojisOfUser: 20,
  /** Users of an emoji that history names; all are counted. */
  reactionUsers: 100,
  /** Access token, bytes. */
  tokenBytes: 8 * 1024,
  /** JSON close reason, bytes (RFC 6455 section 5.5). */
  closeReasonBytes: 123,
  /**
   * Bytes handed to the kernel and the socket per connection; the rest waits where it can still be
   * dropped.
   */
  socketBytes: 64 * 1024,
  /** Above this many present users presence is pushed as a count only. */
  presenceListed: 200,
  /** Rooms of a user that `watch` covers: those with the newest activity. */
  watchedRooms: 1000,
  /** `activity` of a room comes at most this often. */
  activityMs: 1_000,
  /** Typing ends by itself this long after it was said last. */
  typingMs: 10_000,
  /** Invalid frames per connection before `policy_violation`. */
  invalidFrames: 20,
} as const;
