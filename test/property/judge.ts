/**
 * The steps of a run, their outcome in Postgres, and the frames of every connection, judged by the
 * promises P1, P2 and P4 (contract, section 7). Commit order is that of Postgres: a durable event
 * carries the epoch it was committed under, and a change that takes rights moves it. All times are
 * wall clock ms of one machine.
 */
export type Standing = 'in' | 'muted' | 'viewer' | 'removed' | 'banned';

/** One call that changes a member. */
export interface Change {
  user: string;
  to: Standing;
  startMs: number;
  /** Infinity: never answered, so nobody knows. */
  endMs: number;
  /** A receipt came and said so. */
  effective: boolean;
}

/** A shrinking change as the authority log has it, in order of n. */
export interface Shrink {
  user: string;
  to: Standing;
  epoch: number;
}

export interface Stored {
  seq: number;
  epoch: number;
  sender: string;
  /** The op_id says who sent it through which session, and when. */
  opId: string | null;
  atMs: number;
}

/** A signal or a publish, noted before it was sent. */
export interface Sent {
  id: string;
  user: string;
  session: string;
  sentMs: number;
}

export type Received = { atMs: number } & (
  | { what: 'subscribed'; seq: number }
  | { what: 'event'; seq: number }
  | { what: 'signal'; id: string }
);

export interface Ear {
  name: string;
  user: string;
  session: string;
  received: Received[];
  /** Owns the room and was there from the beginning: nothing may be missing. */
  witness: boolean;
}

export interface Ending {
  session: string;
  /** sessions.ended_at */
  endedMs: number;
  receiptMs: number;
}

export interface History {
  changes: Change[];
  shrinks: Shrink[];
  stored: Stored[];
  sent: Sent[];
  ears: Ear[];
  endings: Ending[];
}

/** Postgres keeps whole milliseconds. */
const ROUNDING_MS = 2;
const unreadable: readonly Standing[] = ['removed', 'banned'];
const mayRead = (to: Standing): boolean => !unreadable.includes(to);
const mayWrite = (to: Standing): boolean => to === 'in';

interface Loss extends Change {
  epoch: number;
}

/** Sentences, one for each broken promise. */
export function judge(history: History): string[] {
  const losses = matched(history);
  return [
    ...history.ears.flatMap((ear) => [
      ...durable(history, losses, ear),
      ...transient(history, ear),
      ...inOrder(history, ear),
      ...ofAnEndedSession(history, ear),
    ]),
    ...history.stored.flatMap((event) => written(history, losses, event)),
  ];
}

/** The calls whose commit the log shows, with its epoch. */
function matched({ changes, shrinks }: History): Loss[] {
  const left = [...changes].sort((a, b) => a.startMs - b.startMs);
  return shrinks.flatMap(({ user, to, epoch }) => {
    const at = left.findIndex((change) => change.user === user && change.to === to);
    return at === -1 ? [] : [{ ...left.splice(at, 1)[0]!, epoch }];
  });
}

/** The right was given back by a call that had begun by `atMs`. */
function restored(
  { changes }: History,
  loss: Change,
  gives: (to: Standing) => boolean,
  atMs: number,
): boolean {
  return changes.some(
    ({ user, to, startMs }) =>
      user === loss.user && gives(to) && startMs > loss.startMs && startMs <= atMs,
  );
}

const lastLoss = (
  losses: Loss[],
  user: string,
  epoch: number,
  keeps: (to: Standing) => boolean,
): Loss | undefined =>
  losses.filter((loss) => loss.user === user && loss.epoch <= epoch && !keeps(loss.to)).at(-1);

/** P2: no durable event committed after the removal committed. */
function durable(history: History, losses: Loss[], ear: Ear): string[] {
  return ear.received.flatMap((received) => {
    if (received.what !== 'event') return [];
    const event = history.stored.find(({ seq }) => seq === received.seq);
    if (event === undefined)
      return [`${ear.name} received seq ${received.seq}, which is not stored`];
    const loss = lastLoss(losses, ear.user, event.epoch, mayRead);
    if (loss === undefined || restored(history, loss, mayRead, received.atMs)) return [];
    return [
      `${ear.name} received seq ${event.seq} of epoch ${event.epoch}, but was ${loss.to} with epoch ${loss.epoch}`,
    ];
  });
}

/**
 * P2: no transient frame after the receipt; neither to who may not read, nor from who may not
 * write.
 */
function transient(history: History, ear: Ear): string[] {
  return ear.received.flatMap((received) => {
    if (received.what !== 'signal') return [];
    const signal = history.sent.find(({ id }) => id === received.id);
    if (signal === undefined) return [`${ear.name} received a signal that nobody sent`];
    const before = ({ user, effective, endMs }: Change, whose: string) =>
      user === whose && effective && endMs < signal.sentMs;
    const unread = history.changes.find(
      (change) =>
        before(change, ear.user) &&
        !mayRead(change.to) &&
        !restored(history, change, mayRead, received.atMs),
    );
    const unwritten = history.changes.find(
      (change) =>
        before(change, signal.user) &&
        !mayWrite(change.to) &&
        !restored(history, change, mayWrite, received.atMs),
    );
    return [
      ...(unread === undefined
        ? []
        : [`${ear.name} received a signal that was sent after the receipt of being ${unread.to}`]),
      ...(unwritten === undefined
        ? []
        : [
            `${ear.name} received a signal of ${signal.user}, sent after the receipt of being ${unwritten.to}`,
          ]),
    ];
  });
}

/** P2 and P1: nothing commits under rights or a session that are gone. */
function written(history: History, losses: Loss[], event: Stored): string[] {
  const violations: string[] = [];
  const loss = lastLoss(losses, event.sender, event.epoch, mayWrite);
  if (loss !== undefined && !restored(history, loss, mayWrite, event.atMs + ROUNDING_MS)) {
    violations.push(
      `seq ${event.seq} of ${event.sender} was committed under epoch ${event.epoch}, but he was ${loss.to} with epoch ${loss.epoch}`,
    );
  }
  const session = history.sent.find(({ id }) => id === event.opId)?.session;
  const ending = history.endings.find((each) => each.session === session);
  if (ending !== undefined && event.atMs > ending.endedMs + ROUNDING_MS)
    violations.push(`seq ${event.seq} was committed after its session had ended`);
  return violations;
}

/** P1: what was sent after the receipt reaches nobody through the session that ended. */
function ofAnEndedSession(history: History, ear: Ear): string[] {
  const ending = history.endings.find(({ session }) => session === ear.session);
  if (ending === undefined) return [];
  return ear.received.flatMap((received) => {
    const id =
      received.what === 'signal'
        ? received.id
        : received.what === 'event'
          ? history.stored.find(({ seq }) => seq === received.seq)?.opId
          : undefined;
    const sent = history.sent.find((each) => each.id === id);
    return sent !== undefined && sent.sentMs > ending.receiptMs
      ? [`${ear.name} received ${sent.id}, which was sent after the receipt of its session's end`]
      : [];
  });
}

/** P4: one seq after the other from each `subscribed` on; a witness misses none. */
function inOrder(history: History, ear: Ear): string[] {
  const violations: string[] = [];
  let last: number | undefined;
  for (const received of ear.received) {
    if (received.what === 'signal') continue;
    if (received.what === 'event' && received.seq !== (last ?? 0) + 1)
      violations.push(
        `${ear.name} received seq ${received.seq} after ${last ?? 'no subscription'}`,
      );
    last = received.seq;
  }
  const top = Math.max(0, ...history.stored.map(({ seq }) => seq));
  if (ear.witness && (last ?? 0) !== top)
    violations.push(`${ear.name} received up to seq ${last ?? 0} of ${top}`);
  return violations;
}
