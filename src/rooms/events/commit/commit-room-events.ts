/**
 * One call of `apply_room_events` per node and turn, for everything that turn produced. One batch
 * is in flight at a time and each room keeps its order, so what one connection sends to a room is
 * committed in the order it was sent. `apply_room_events` (prisma/migrations) numbers the events
 * under the lock of the room's row; room-channel.ts checks the numbers where they are delivered.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { EndReason } from '../../../authority/events.js';
import { monotonicMs } from '../../../platform/clock.js';
import { Database, sqlState } from '../../../platform/stores/database.js';
import { DomainError } from '../../../platform/errors.js';
import { Metrics } from '../../../platform/metrics.js';
import { CommitQueue } from './commit-queue.js';
import type { RoomEventRow } from '../room-event.js';

/** A request as the function takes it, without its place in the batch. */
export interface RoomEventInput {
  type: RoomEventRow['type'];
  room: string;
  sender: string;
  session: string;
  user_version: number;
  epoch: number;
  message_id: string;
  op_id: string | null;
  /** Hex digest of what must be the same when an op_id comes again. */
  fingerprint: string | null;
  /** The same of the value, whatever the order of its members; null where it is the same digest. */
  value_fingerprint: string | null;
  kind: string | null;
  body: string | null;
  emoji: string | null;
  on: boolean | null;
  /** The message of the room that this one answers. */
  reply_to: string | null;
  /** Users; `EVERYBODY` alone where the room is mentioned. */
  mentions: string[] | null;
  /** The text of its body for the search. */
  words: string | null;
  /** RFC 3339: the end of the token it is done with; judged at the commit. */
  until: string | null;
}

export interface RoomEventOutcome {
  /** A credential that is over is told by the code it ended with. */
  outcome: 'new' | 'duplicate' | 'conflict' | 'gone' | 'stale' | EndReason | 'token_expired';
  message_id: string;
  seq: number;
  epoch: number;
  at: Date;
  /** Of what is new: the mark of the event before it. */
  prev: string;
  /** The number of the last message up to it; a message's own. */
  n: number;
}

interface Waiting {
  input: RoomEventInput;
  sinceMs: number;
  resolve: (outcome: RoomEventOutcome) => void;
  reject: (error: unknown) => void;
}

const BATCH_MAX = 256;
/** The most that a flooded room delays the others: a batch of so many is a few milliseconds. */
const OF_ONE_ROOM_MAX = 64;
const QUEUE_MAX = 20_000;
/**
 * Beyond this the caller is told to come again with the same op_id; what became of it is unknown
 * until then.
 */
const PATIENCE_MS = 10_000;
const RETRY_PAUSE_MS = 50;
const CALL =
  'SELECT i, outcome, message_id, seq, epoch, at, prev, n FROM apply_room_events($1::json)';
/** Reactions over a quota are left out of the batch, and of the answer. */
const CALL_WITH_REACTIONS = CALL.replace('$1::json', 'within_quotas($1::json)');

@Injectable()
export class CommitRoomEvents {
  private readonly logger = new Logger(CommitRoomEvents.name);
  private readonly queue = new CommitQueue<Waiting>(({ input }) => conflictKeys(input));
  private flying = false;
  private scheduled = false;

  constructor(
    private readonly database: Database,
    private readonly metrics: Metrics,
  ) {}

  submit(input: RoomEventInput): Promise<RoomEventOutcome> {
    if (this.queue.size >= QUEUE_MAX)
      return Promise.reject(new DomainError('overloaded', { detail: 'publish queue is full' }));
    return new Promise((resolve, reject) => {
      this.queue.push({ input, sinceMs: monotonicMs(), resolve, reject });
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.scheduled || this.flying || this.queue.size === 0) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      void this.flush();
    });
  }

  private async flush(): Promise<void> {
    const batch = this.queue.take(BATCH_MAX, OF_ONE_ROOM_MAX);
    this.flying = true;
    try {
      await this.commit(batch);
    } finally {
      this.flying = false;
      this.schedule();
    }
  }

  private async commit(batch: Waiting[]): Promise<void> {
    this.metrics.publishBatch.observe(batch.length);
    const reacts = batch.some(({ input }) => input.type === 'reaction');
    const sinceMs = Math.min(...batch.map((waiting) => waiting.sinceMs));
    for (let attempt = 0; ; attempt += 1) {
      try {
        const rows = await this.database.hot<
          RoomEventOutcome & { i: number; seq: string; epoch: string; n: string }
        >(
          reacts ? 'apply_room_events_reactions' : 'apply_room_events',
          reacts ? CALL_WITH_REACTIONS : CALL,
          [JSON.stringify(batch.map(({ input }, i) => ({ i, ...input })))],
        );
        const now = monotonicMs();
        rows.forEach((row) => {
          const waiting = batch[row.i]!;
          this.metrics.publishSeconds.observe((now - waiting.sinceMs) / 1000);
          waiting.resolve({
            ...row,
            seq: Number(row.seq),
            epoch: Number(row.epoch),
            n: Number(row.n),
          });
        });
        // Callers that were answered do not get it.
        if (rows.length < batch.length)
          for (const waiting of batch)
            waiting.reject(new DomainError('quota_exceeded', { detail: 'emojis of a message' }));
        return;
      } catch (error) {
        const state = sqlState(error) ?? '';
        if (/^2[23]/.test(state)) return this.commitSingly(batch, error);
        this.logger.warn({
          msg: 'room events were not committed, trying again',
          attempt,
          state,
          error: (error as Error).message,
        });
        // A lost connection leaves the outcome unknown: run again, the op_id tells what is stored
        // already.
        if (monotonicMs() - sinceMs > PATIENCE_MS) {
          for (const waiting of batch)
            waiting.reject(new DomainError('unavailable', { cause: error }));
          return;
        }
        await new Promise((resolve) =>
          setTimeout(resolve, RETRY_PAUSE_MS * 2 ** Math.min(attempt, 5)),
        );
      }
    }
  }

  /** One input the database refuses must not take the others with it. */
  private async commitSingly(batch: Waiting[], error: unknown): Promise<void> {
    if (batch.length === 1) {
      batch[0]!.reject(new DomainError('invalid_request', { cause: error }));
      return;
    }
    for (const waiting of batch) await this.commit([waiting]);
  }
}

/** Neither an op_id nor a target may occur twice in a batch. */
function conflictKeys({ type, room, sender, op_id, message_id }: RoomEventInput): string[] {
  const keys = type === 'message' ? [] : [message_id];
  if (op_id !== null) keys.push(`${room}:${sender}:${op_id}`);
  return keys;
}
