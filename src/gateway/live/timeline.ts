/**
 * The last events of one connection, for operators. An event is one number of 53 bits, so that an
 * idle connection pays next to nothing: milliseconds since it was opened (33 bits), kind (4), and a
 * value (16) that depends on the kind. The first event stays, of the others the newest.
 */
import { ERROR_CODES, UNSUBSCRIBE_CODES } from '@wardroom/protocol/codes';
import type { ErrorCode, UnsubscribeCode } from '@wardroom/protocol/codes';
import { rfc3339 } from '../../platform/clock.js';

const KINDS = [
  'authenticated',
  'renewed',
  'renewal_refused',
  'subscribed',
  'unsubscribed',
  'denied',
  'warned',
  'expired',
  'grace',
  'closed_by',
] as const;
type Kind = (typeof KINDS)[number];

export interface TimelineEvent {
  readonly at: string;
  readonly event: 'opened' | 'closed' | Kind;
  /** End of the token. */
  readonly exp?: string;
  /** End of the grace. */
  readonly until?: string;
  readonly room?: string;
  readonly code?: string;
  /** So many in a row with this code; time and decision are of the last. */
  readonly count?: number;
  readonly decision_id?: string;
  /** The operator. */
  readonly by?: string;
  readonly side?: string;
}

export const EVENTS_MAX = 32;
const VALUES = 2 ** 16;
const KINDS_MAX = 16;
const AT_MAX_MS = 2 ** 33 - 1;
/** Of a value that holds a code and a count. */
const CODES_MAX = 128;
const COUNT_MAX = VALUES / CODES_MAX - 1;
/** Ends of tokens are whole seconds; a tenth is enough to tell them. */
const EXP_STEP_MS = 100;

const ERRORS = Object.keys(ERROR_CODES) as ErrorCode[];
const UNSUBSCRIBES = Object.keys(UNSUBSCRIBE_CODES) as UnsubscribeCode[];
if (ERRORS.length > CODES_MAX) throw new Error('a timeline has no room for so many codes');

const NONE: readonly number[] = [];

export class Timeline {
  private events = NONE;
  /** Beside `events`: a room, a decision or a user. Null while no event has one. */
  private names: readonly (string | null)[] | null = null;
  /** Events that are not kept any more. */
  omitted = 0;
  renewals = 0;

  /** Times are milliseconds since the connection was opened. */
  authenticated(atMs: number, expMs: number): void {
    this.add('authenticated', atMs, stepsOf(expMs - atMs));
  }

  renewed(atMs: number, expMs: number): void {
    this.renewals += 1;
    this.add('renewed', atMs, stepsOf(expMs - atMs));
  }

  subscribed(atMs: number, room: string): void {
    this.add('subscribed', atMs, 0, room);
  }

  unsubscribed(atMs: number, room: string, code: UnsubscribeCode): void {
    this.add('unsubscribed', atMs, UNSUBSCRIBES.indexOf(code), room);
  }

  /** Several with one code are one event. */
  refused(
    kind: 'denied' | 'renewal_refused',
    atMs: number,
    code: ErrorCode,
    decision?: string,
  ): void {
    const index = ERRORS.indexOf(code);
    const last = this.events.at(-1);
    let count = 0;
    if (last !== undefined && kindOf(last) === kind && valueOf(last) % CODES_MAX === index) {
      count = Math.min(Math.floor(valueOf(last) / CODES_MAX) + 1, COUNT_MAX);
      this.remove(this.events.length - 1);
    }
    this.add(kind, atMs, count * CODES_MAX + index, decision);
  }

  warned(atMs: number): void {
    this.add('warned', atMs, 0);
  }

  expired(atMs: number, graceMs: number): void {
    this.add('expired', atMs, 0);
    this.add('grace', atMs, stepsOf(graceMs));
  }

  closedBy(atMs: number, user: string): void {
    this.add('closed_by', atMs, 0, user);
  }

  /** `openedMs`: by the wall clock. */
  view(openedMs: number): TimelineEvent[] {
    return [
      { at: timeOf(openedMs), event: 'opened' },
      ...this.events.map((event, i) => viewOf(openedMs, event, this.names?.[i] ?? null)),
    ];
  }

  /**
   * A copy in exact length, of numbers side by side: `push` and `...` would keep more to spare than
   * is used, `toSpliced` and a function that also takes names a box for each number.
   */
  private add(kind: Kind, atMs: number, value: number, name?: string): void {
    const at = Math.min(Math.max(0, Math.round(atMs)), AT_MAX_MS);
    if (this.events.length >= EVENTS_MAX) {
      this.remove(1);
      this.omitted += 1;
    }
    if (name !== undefined || this.names !== null)
      this.names = (this.names ?? this.events.map(() => null)).concat([name ?? null]);
    const event = (at * KINDS_MAX + KINDS.indexOf(kind)) * VALUES + value;
    this.events = this.events.length === 0 ? [event] : this.events.concat([event]);
  }

  private remove(index: number): void {
    this.events = without(this.events, index);
    this.names = this.names === null ? null : without(this.names, index);
  }
}

function without<T>(list: readonly T[], index: number): readonly T[] {
  const rest = list.slice();
  rest.splice(index, 1);
  return rest;
}

const stepsOf = (ms: number): number =>
  Math.min(Math.max(0, Math.round(ms / EXP_STEP_MS)), VALUES - 1);
const timeOf = (ms: number): string => rfc3339(new Date(ms));
const valueOf = (event: number): number => event % VALUES;
const kindOf = (event: number): Kind => KINDS[Math.floor(event / VALUES) % KINDS_MAX]!;

function viewOf(openedMs: number, event: number, name: string | null): TimelineEvent {
  const atMs = openedMs + Math.floor(event / VALUES / KINDS_MAX);
  const kind = kindOf(event);
  const value = valueOf(event);
  const seen = { at: timeOf(atMs), event: kind };
  switch (kind) {
    case 'authenticated':
    case 'renewed':
      return { ...seen, exp: timeOf(Math.round((atMs + value * EXP_STEP_MS) / 1000) * 1000) };
    case 'denied':
    case 'renewal_refused':
      return {
        ...seen,
        code: ERRORS[value % CODES_MAX]!,
        count: Math.floor(value / CODES_MAX) + 1,
        ...(name === null ? {} : { decision_id: name }),
      };
    case 'subscribed':
      return { ...seen, room: name! };
    case 'unsubscribed':
      return { ...seen, room: name!, code: UNSUBSCRIBES[value]! };
    case 'grace':
      return { ...seen, until: timeOf(atMs + value * EXP_STEP_MS) };
    case 'closed_by':
      return { ...seen, by: name! };
    case 'warned':
    case 'expired':
      return seen;
  }
}
