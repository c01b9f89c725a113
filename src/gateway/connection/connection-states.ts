/**
 * The life of a connection, as data. No state but `live` sends room data;
 * `paused` is no state of a connection but of its node (authority/lease/lease.ts).
 */
export type ConnectionState =
  'greeting' | 'authenticating' | 'live' | 'expired' | 'closing' | 'closed';
export type ConnectionEvent = 'credential' | 'accepted' | 'expired' | 'close' | 'gone';

export const TRANSITIONS: Record<
  ConnectionState,
  Partial<Record<ConnectionEvent, ConnectionState>>
> = {
  /** Upgraded, no credential yet; the deadline runs. */
  greeting: { credential: 'authenticating', close: 'closing', gone: 'closed' },
  /** A credential is being verified; frames wait, in order and bounded. */
  authenticating: { accepted: 'live', close: 'closing', gone: 'closed' },
  live: { accepted: 'live', expired: 'expired', close: 'closing', gone: 'closed' },
  /** Past `exp`, in grace: only re-authentication is heard, deliveries are held. */
  expired: { accepted: 'live', close: 'closing', gone: 'closed' },
  /** Out of every list; goodbye and close are on their way. */
  closing: { gone: 'closed' },
  closed: {},
};

/** Undefined: this event means nothing in this state and must be ignored. */
export const nextState = (
  state: ConnectionState,
  event: ConnectionEvent,
): ConnectionState | undefined => TRANSITIONS[state][event];
export const sendsRoomData = (state: ConnectionState): boolean => state === 'live';
