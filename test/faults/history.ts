/**
 * The history as one process saw it: every operation with its invocation and outcome, every frame
 * and close with its time. All times are this process's monotonic ms. Written while a scenario
 * runs, judged afterwards (checker.ts).
 */
export const nowMs = (): number => performance.now();

export type Outcome = 'ok' | 'fail' | 'unknown';

export interface SessionRecord {
  id: string;
  user: string;
  name: string;
  /** When its token expires; null: not within the scenario. */
  expMs: number | null;
}

export interface ClientRecord {
  id: string;
  session: string;
  user: string;
  node: string;
  /** Nothing is taken from it: it must see everything. */
  staying: boolean;
}

export interface FrameRecord {
  client: string;
  atMs: number;
  type: string;
  room?: string;
  seq?: number;
  sender?: string;
  /** Which operation a message or signal came from. */
  op?: string;
  code?: string;
  action?: string;
  recovered?: boolean;
}

export interface CloseRecord {
  client: string;
  atMs: number;
  status: number;
  code: string | null;
  action: string | null;
}

export interface OpRecord {
  id: string;
  client: string;
  kind: 'publish' | 'signal';
  room: string;
  invokedMs: number;
  /** Of the last attempt: a retry with the same id is the same operation. */
  lastInvokedMs: number;
  completedMs: number | null;
  outcome: Outcome;
  code: string | null;
  seq: number | null;
}

export type ChangeKind =
  'logout' | 'end_session' | 'suspend' | 'remove' | 'ban' | 'demote' | 'mute';

/** A revocation or shrinking policy change, and what was answered. */
export interface ChangeRecord {
  kind: ChangeKind;
  via: string;
  /** Ended by it. */
  sessions: string[];
  user: string;
  room: string | null;
  invokedMs: number;
  outcome: Outcome;
  status: number | null;
  /**
   * When an effective receipt was in hand, and everything that had reached this process before was
   * read.
   */
  effectiveMs: number | null;
  receipt: {
    nodes: { id: string; state: 'confirmed' | 'fenced'; ms: number }[];
    connections_closed: number;
    ms: number;
  } | null;
}

/** An attempt to use a session after all: a call or a handshake. */
export interface ProbeRecord {
  session: string;
  node: string;
  how: 'rest' | 'refresh' | 'connect';
  atMs: number;
  accepted: boolean;
  /** Status or close code and action, for the report. */
  answer: string;
}

export interface History {
  leaseMs: number;
  sessions: SessionRecord[];
  clients: ClientRecord[];
  frames: FrameRecord[];
  closes: CloseRecord[];
  ops: OpRecord[];
  changes: ChangeRecord[];
  probes: ProbeRecord[];
  /**
   * How late this process itself was, at worst, in each 100 ms: what it cannot hold against anybody
   * else.
   */
  lag: { atMs: number; lateMs: number }[];
  /**
   * After the fault: how long until all nodes were ready, and until what each published was seen by
   * all.
   */
  healed: { readyMs: number; deliveredMs: number | null } | null;
}

export function emptyHistory(leaseMs: number): History {
  return {
    leaseMs,
    sessions: [],
    clients: [],
    frames: [],
    closes: [],
    ops: [],
    changes: [],
    probes: [],
    lag: [],
    healed: null,
  };
}

const LAG_EVERY_MS = 10;

/** Notes when this process was late itself. */
export function watchLag(history: History): () => void {
  let expected = nowMs() + LAG_EVERY_MS;
  const timer = setInterval(() => {
    const late = nowMs() - expected;
    expected = nowMs() + LAG_EVERY_MS;
    if (late > 5) history.lag.push({ atMs: nowMs(), lateMs: late });
  }, LAG_EVERY_MS);
  return () => clearInterval(timer);
}

/** Everything that has arrived in this process's sockets is read when this resolves. */
export async function readAll(): Promise<number> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return nowMs();
}
