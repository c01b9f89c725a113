/**
 * Judges a history against what Postgres says was committed. One rule per promise of the contract
 * (section 7); each answers violations, none means the promise held. Pure: a doctored history must
 * be found out (checker.test.ts).
 */
import type { ChangeRecord, FrameRecord, History, OpRecord } from './history.js';
import type { Ledger, LedgerChange } from './ledger.js';

export interface Violation {
  rule: string;
  detail: string;
}

export interface Expectations {
  /** Nothing that broke may fence anybody. */
  nobodyFenced: boolean;
}

/** The contract's own tolerances. */
const BOUND_SLACK_MS = 250;
const EXPIRY_SLACK_MS = 100;
const DELIVERY_MS = 2_000;
/** Bytes that waited in this process's sockets are read within this after it woke up. */
const LAG_READ_MS = 20;

/** Frames about the connection itself; they carry nothing of a room and grant nothing. */
const ABOUT_ITSELF = new Set([
  'hello',
  'goodbye',
  'paused',
  'resumed',
  'error',
  'auth_error',
  'auth_expired',
  'auth_expiring_soon',
  'unsubscribed',
  'pong',
]);
const TRANSIENT = new Set(['signal', 'typing', 'read', 'presence']);

export function check(history: History, ledger: Ledger, expectations: Expectations): Violation[] {
  return [
    ...revocation(history, ledger),
    ...policy(history, ledger),
    ...expiry(history, ledger),
    ...effects(history, ledger),
    ...order(history, ledger),
    ...truth(history, ledger, expectations),
    ...healing(history),
  ];
}

/**
 * P1: after the receipt, and without one at the latest B + 250 ms after the commit, a session hears
 * and does nothing.
 */
function* revocation(history: History, ledger: Ledger): Generator<Violation> {
  const clients = new Map(history.clients.map((client) => [client.id, client]));
  const ops = opsById(history);
  for (const [session, { commit, effectiveMs }] of endings(history, ledger)) {
    const name = nameOf(history, session);
    const limitMs = allow(history, effectiveMs);
    for (const frame of history.frames) {
      if (frame.atMs <= limitMs) continue;
      if (clients.get(frame.client)!.session === session && !ABOUT_ITSELF.has(frame.type)) {
        yield {
          rule: 'P1 received',
          detail: `${frame.client} received ${told(frame)} ${late(frame.atMs, effectiveMs)} after ${name} had ended`,
        };
      }
      const op = frame.op === undefined ? undefined : ops.get(frame.op);
      if (
        op !== undefined &&
        TRANSIENT.has(frame.type) &&
        clients.get(op.client)!.session === session
      ) {
        yield {
          rule: 'P1 sent',
          detail: `${frame.client} was sent signal ${op.id} ${late(frame.atMs, effectiveMs)} after ${name} had ended`,
        };
      }
    }
    for (const op of history.ops) {
      if (clients.get(op.client)!.session !== session) continue;
      if (op.outcome === 'ok' && op.invokedMs > effectiveMs)
        yield {
          rule: 'P1 accepted',
          detail: `${op.kind} ${op.id} was accepted ${late(op.invokedMs, effectiveMs)} after ${name} had ended`,
        };
    }
    for (const event of ledger.events) {
      const op = ops.get(event.op);
      if (op === undefined || clients.get(op.client)!.session !== session) continue;
      if (event.committedMs > commit.committedMs)
        yield {
          rule: 'P1 committed',
          detail: `seq ${event.seq} (${event.op}) was committed ${late(event.committedMs, commit.committedMs)} after the end of ${name}`,
        };
    }
    for (const probe of history.probes) {
      if (probe.session === session && probe.accepted)
        yield {
          rule: 'P1 came back',
          detail: `${probe.how} of ${name} on ${probe.node} was accepted: ${probe.answer}`,
        };
    }
  }
  for (const change of history.changes) {
    if (change.effectiveMs !== null && !isCommitted(change, ledger))
      yield {
        rule: 'P1 receipt',
        detail: `${change.kind} via ${change.via} has an effective receipt and is not in the log`,
      };
  }
}

/**
 * P2: who was taken out gets no event committed after that, and no transient after the receipt; who
 * lost a right does not act.
 */
function* policy(history: History, ledger: Ledger): Generator<Violation> {
  const clients = new Map(history.clients.map((client) => [client.id, client]));
  const epochs = new Map(ledger.events.map((event) => [`${event.room}:${event.seq}`, event.epoch]));
  for (const { event, committedMs } of ledger.changes) {
    if (event.kind !== 'member.changed') continue;
    const change = history.changes.find(
      ({ user, room }) => user === event.user && room === event.room,
    );
    const effectiveMs = change?.effectiveMs ?? committedMs + history.leaseMs + BOUND_SLACK_MS;
    const who = change === undefined ? event.user : `${change.kind} victim`;
    const limitMs = allow(history, effectiveMs);
    if (event.role === null || event.banned) {
      for (const frame of history.frames) {
        if (frame.room !== event.room || clients.get(frame.client)!.user !== event.user) continue;
        if (
          frame.type === 'message' &&
          (epochs.get(`${frame.room}:${frame.seq}`) ?? 0) >= event.epoch
        ) {
          yield {
            rule: 'P2 new enemy',
            detail: `${frame.client} (${who}) received seq ${frame.seq}, committed after the removal`,
          };
        }
        if (TRANSIENT.has(frame.type) && frame.atMs > limitMs) {
          yield {
            rule: 'P2 transient',
            detail: `${frame.client} (${who}) received ${told(frame)} ${late(frame.atMs, effectiveMs)} after the removal`,
          };
        }
      }
    }
    for (const stored of ledger.events) {
      if (
        stored.room === event.room &&
        stored.sender === event.user &&
        stored.epoch >= event.epoch
      ) {
        yield {
          rule: 'P2 committed',
          detail: `seq ${stored.seq} of the ${who} was committed under the new facts`,
        };
      }
    }
    for (const op of history.ops) {
      if (
        op.room !== event.room ||
        clients.get(op.client)!.user !== event.user ||
        op.outcome !== 'ok'
      )
        continue;
      if (op.invokedMs > effectiveMs)
        yield {
          rule: 'P2 accepted',
          detail: `${op.kind} ${op.id} of the ${who} was accepted ${late(op.invokedMs, effectiveMs)} after the change`,
        };
    }
  }
}

/** P3: nothing is accepted or delivered more than 100 ms after `exp`. */
function* expiry(history: History, ledger: Ledger): Generator<Violation> {
  const sessions = new Map(history.sessions.map((session) => [session.id, session]));
  const expOf = new Map(
    history.clients.map((client) => [client.id, sessions.get(client.session)?.expMs ?? Infinity]),
  );
  for (const frame of history.frames) {
    const exp = expOf.get(frame.client)!;
    if (
      !ABOUT_ITSELF.has(frame.type) &&
      frame.atMs > exp + EXPIRY_SLACK_MS &&
      frame.atMs > allow(history, exp + EXPIRY_SLACK_MS)
    ) {
      yield {
        rule: 'P3 delivered',
        detail: `${frame.client} received ${told(frame)} ${late(frame.atMs, exp)} after its token expired`,
      };
    }
  }
  const ops = opsById(history);
  for (const event of ledger.events) {
    const exp = expOf.get(ops.get(event.op)?.client ?? '') ?? Infinity;
    if (event.committedMs > exp + EXPIRY_SLACK_MS)
      yield {
        rule: 'P3 accepted',
        detail: `seq ${event.seq} (${event.op}) was committed ${late(event.committedMs, exp)} after the token expired`,
      };
  }
}

/**
 * P4: acknowledged once means stored once, under that seq; what was refused is not there; no hole
 * in seq.
 */
function* effects(history: History, ledger: Ledger): Generator<Violation> {
  const stored = new Map<string, number[]>();
  for (const event of ledger.events)
    stored.set(event.op, [...(stored.get(event.op) ?? []), event.seq]);
  for (const op of history.ops) {
    if (op.kind !== 'publish') continue;
    const seqs = stored.get(op.id) ?? [];
    if (seqs.length > 1)
      yield { rule: 'P4 once', detail: `${op.id} is stored ${seqs.length} times` };
    if (op.outcome === 'ok' && seqs[0] !== op.seq)
      yield {
        rule: 'P4 stored',
        detail: `${op.id} was acknowledged as seq ${op.seq}, stored is ${seqs[0] ?? 'nothing'}`,
      };
    if (op.outcome === 'fail' && seqs.length > 0)
      yield {
        rule: 'P4 refused',
        detail: `${op.id} was refused with ${op.code} and is stored as seq ${seqs[0]}`,
      };
  }
  const last = new Map<string, number>();
  for (const { room, seq } of ledger.events) {
    const before = last.get(room) ?? 0;
    if (seq !== before + 1)
      yield { rule: 'P4 hole', detail: `seq ${before} is followed by ${seq}` };
    last.set(room, seq);
  }
}

/**
 * P4: who stayed saw every event once, in order, up to the last one, or was told `recovered:false`.
 */
function* order(history: History, ledger: Ledger): Generator<Violation> {
  const head = new Map<string, number>();
  for (const { room, seq } of ledger.events) head.set(room, Math.max(head.get(room) ?? 0, seq));
  for (const client of history.clients) {
    if (!client.staying) continue;
    const seen = new Map<string, number>();
    for (const { client: id, type, room, seq, recovered } of history.frames) {
      if (id !== client.id || room === undefined || seq === undefined) continue;
      if (type === 'subscribed') {
        const before = seen.get(room);
        if (before !== undefined && recovered === true && seq !== before)
          yield {
            rule: 'P4 recovered',
            detail: `${client.id} had seq ${before} and was recovered from ${seq}`,
          };
        seen.set(room, seq);
      } else if (type === 'message') {
        const before = seen.get(room) ?? 0;
        if (seq !== before + 1)
          yield { rule: 'P4 order', detail: `${client.id} saw seq ${seq} after ${before}` };
        seen.set(room, Math.max(before, seq));
      }
    }
    for (const [room, seq] of seen) {
      if (seq < (head.get(room) ?? 0))
        yield {
          rule: 'P4 lost',
          detail: `${client.id} saw up to seq ${seq}, the last is ${head.get(room)}`,
        };
    }
  }
}

/**
 * P7: nobody who is in good standing is told to sign in again or to stay away, and loss of Redis
 * fences nobody.
 */
function* truth(
  history: History,
  ledger: Ledger,
  { nobodyFenced }: Expectations,
): Generator<Violation> {
  const wrong = new Set(['login', 'stop', 'refresh']);
  const over = new Map(
    [...endings(history, ledger)].map(([session, { commit }]) => [session, commit.committedMs]),
  );
  const sessions = new Map(history.sessions.map((session) => [session.id, session]));
  const clients = new Map(history.clients.map((client) => [client.id, client]));
  const good = (client: string, atMs: number) => {
    const session = sessions.get(clients.get(client)!.session)!;
    return atMs < (over.get(session.id) ?? Infinity) && atMs < (session.expMs ?? Infinity);
  };
  for (const { client, atMs, status, code, action } of history.closes) {
    if (!good(client, atMs)) continue;
    if (wrong.has(action ?? ''))
      yield {
        rule: 'P7 good standing',
        detail: `${client} was closed with ${status} ${code} (${action})`,
      };
    if (nobodyFenced && code === 'auth_unavailable')
      yield { rule: 'Redis fences nobody', detail: `${client} was closed with ${status} ${code}` };
  }
  for (const { client, atMs, type, code, action } of history.frames) {
    if (type === 'error' && good(client, atMs) && wrong.has(action ?? ''))
      yield { rule: 'P7 good standing', detail: `${client} was told ${code} (${action})` };
    if (nobodyFenced && (type === 'paused' || code === 'auth_unavailable'))
      yield { rule: 'Redis fences nobody', detail: `${client} was told ${type} ${code}` };
  }
  for (const { session, how, node, accepted, answer } of history.probes) {
    if (!over.has(session) && !accepted)
      yield {
        rule: 'P7 good standing',
        detail: `${how} of ${nameOf(history, session)} on ${node} was refused: ${answer}`,
      };
  }
}

function* healing({ healed }: History): Generator<Violation> {
  if (healed === null) return;
  if (healed.deliveredMs === null)
    yield { rule: 'healing', detail: 'publishes did not flow again' };
  else if (healed.deliveredMs > DELIVERY_MS)
    yield {
      rule: 'healing',
      detail: `delivery across nodes took ${Math.round(healed.deliveredMs)} ms`,
    };
}

/** By session: the commit that ended it, and when it had to be dead everywhere. */
function endings(
  history: History,
  ledger: Ledger,
): Map<string, { commit: LedgerChange; effectiveMs: number }> {
  const all = new Map<string, { commit: LedgerChange; effectiveMs: number }>();
  for (const commit of ledger.changes) {
    if (commit.event.kind !== 'session.ended') continue;
    for (const session of commit.event.sessions) {
      const receipt =
        history.changes.find((change) => change.sessions.includes(session))?.effectiveMs ??
        Infinity;
      all.set(session, {
        commit,
        effectiveMs: Math.min(receipt, commit.committedMs + history.leaseMs + BOUND_SLACK_MS),
      });
    }
  }
  return all;
}

function isCommitted(change: ChangeRecord, ledger: Ledger): boolean {
  return ledger.changes.some(({ event }) => {
    if (event.kind === 'session.ended')
      return change.sessions.some((session) => event.sessions.includes(session));
    return (
      event.kind === 'member.changed' && event.user === change.user && event.room === change.room
    );
  });
}

/**
 * `atMs`, later by what this process itself was late around then: its lateness is nobody's
 * violation.
 */
function allow({ lag }: History, atMs: number): number {
  let late = 0;
  for (const entry of lag)
    if (entry.atMs >= atMs && entry.atMs - entry.lateMs <= atMs + 50)
      late = Math.max(late, entry.atMs - atMs + LAG_READ_MS);
  return atMs + late;
}

const opsById = (history: History): Map<string, OpRecord> =>
  new Map(history.ops.map((op) => [op.id, op]));
const nameOf = (history: History, session: string): string =>
  history.sessions.find(({ id }) => id === session)?.name ?? session;
const late = (atMs: number, thanMs: number): string => `${Math.round(atMs - thanMs)} ms`;
const told = ({ type, seq, op, code }: FrameRecord): string =>
  [type, seq === undefined ? '' : `seq ${seq}`, op ?? '', code ?? ''].filter(Boolean).join(' ');
