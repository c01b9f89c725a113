/**
 * Was everything true that clients were told while Postgres failed over (P1 with a replaced
 * history, P4)? Compares what a load wrote down with what the promoted server has, and with what
 * the nodes said is lost. Pure; each broken rule is a sentence.
 */

export interface Answers {
  /** Acknowledged publishes. */
  acks: readonly {
    room: string;
    op: string;
    seq: number;
    message: string;
    invokedMs: number;
    atMs: number;
  }[];
  listeners: readonly {
    room: string;
    node: string;
    epoch: string;
    frames: readonly any[];
    closed: unknown;
  }[];
  visits: readonly {
    session: string;
    /** `late`: messages heard after an effective receipt; null: no receipt was effective. */
    out: { late: number } | null;
    closed: readonly ({ code: number; reason: any } | null)[];
    /** By node, when everything was over. */
    accepted: readonly boolean[];
  }[];
  /** Effects that were accepted of ended sessions, at any time. */
  accepted: readonly string[];
}

export interface Range {
  room: string;
  from: number;
  to: number;
}

/** The promoted server, and what nodes said, when everything is over. */
export interface Truth {
  killedMs: number;
  /** From here on everything goes to the promoted server. */
  switchedMs: number;
  replaced: boolean;
  /** By room, in order. */
  stored: ReadonlyMap<string, readonly { seq: number; message: string; op: string }[]>;
  alive: ReadonlySet<string>;
  audited: readonly Range[];
  logged: readonly Range[];
}

export function judgeFailover(answers: Answers, truth: Truth): string[] {
  return [...sessions(answers, truth), ...publishes(answers, truth), ...listeners(answers, truth)];
}

function* sessions({ visits, accepted }: Answers, { alive }: Truth): Generator<string> {
  for (const what of accepted) yield `a token was taken after an effective receipt: ${what}`;
  for (const { session, out, closed, accepted: taken } of visits) {
    const lives = alive.has(session);
    if (out !== null && lives) yield `an effective receipt, and session ${session} lives`;
    if (out !== null && out.late > 0)
      yield `session ${session} heard ${out.late} messages after its receipt`;
    for (const yes of taken)
      if (yes !== lives)
        yield `session ${session} ${lives ? 'lives' : 'is over or lost'} and is ${yes ? 'taken' : 'refused'}`;
    for (const close of closed) {
      if (lives && close !== null)
        yield `a socket of session ${session}, which lives, was closed: ${JSON.stringify(close)}`;
      if (!lives && close?.reason?.code !== 'session_revoked')
        yield `a socket of session ${session}, which is over or lost, has ${JSON.stringify(close)}`;
    }
  }
}

function* publishes(
  { acks, listeners: heard }: Answers,
  { stored, killedMs, switchedMs, audited, logged }: Truth,
): Generator<string> {
  for (const [room, events] of stored) {
    if (events.some(({ seq }, i) => seq !== i + 1)) yield `room ${room} has a gap`;
    if (new Set(events.map(({ op }) => op)).size < events.length)
      yield `room ${room} has an operation twice`;
  }
  for (const { room, op, seq, message, invokedMs, atMs } of acks) {
    const names = (ranges: readonly Range[]) =>
      ranges.some((range) => range.room === room && range.from <= seq && seq <= range.to);
    const told = heard.flatMap(({ room: of, frames }) =>
      frames.flatMap(({ type, lost }) => (type === 'reset' && lost ? [{ room: of, ...lost }] : [])),
    );
    const isStored = stored.get(room)?.[seq - 1]?.message === message;
    const what = `${op}, acknowledged as ${seq} of room ${room}`;
    if (invokedMs > switchedMs) {
      if (!isStored) yield `${what} after the switch, is not there`;
    } else if (atMs < killedMs) {
      for (const [who, ranges] of Object.entries({ audit: audited, log: logged, clients: told }))
        if (names(ranges) === isStored)
          yield `${what}, is ${isStored ? 'there and named as lost' : 'lost and not named'} by the ${who}`;
    }
  }
}

function* listeners({ listeners: heard }: Answers, { stored, replaced }: Truth): Generator<string> {
  const last = new Map<string, Set<string>>();
  for (const { room, node, epoch, frames, closed } of heard) {
    const who = `the listener of room ${room} on ${node}`;
    if (closed !== null) yield `${who} was closed: ${JSON.stringify(closed)}`;
    const resets = frames.filter(({ type }) => type === 'reset');
    if (replaced !== resets.length > 0) yield `${who} was told reset ${resets.length} times`;
    if (resets.some((reset) => reset.epoch === epoch))
      yield `${who} was told reset with the epoch it had`;
    last.set(room, (last.get(room) ?? new Set()).add(resets.at(-1)?.epoch ?? epoch));
    const kept = keptOf(frames);
    const events = stored.get(room)!.map(({ message }) => message);
    if (kept.join() !== events.join())
      yield `${who} keeps ${kept.length} messages that are not the ${events.length} stored`;
  }
  for (const [room, epochs] of last)
    if (epochs.size > 1) yield `room ${room} has another epoch on another node`;
}

/** The events that a client which obeys `reset` has in the end. */
function keptOf(frames: readonly any[]): string[] {
  const kept: string[] = [];
  for (const frame of frames) {
    if (frame.type === 'reset') kept.length = Math.min(kept.length, frame.seq);
    if (frame.type === 'message') kept[frame.seq - 1] = frame.message_id;
  }
  return kept;
}
