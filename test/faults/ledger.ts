/**
 * The truth of a scenario, read from Postgres when it is over: what was committed, in which order,
 * at what time.
 */
import pg from 'pg';
import { nowMs } from './history.js';

export interface LedgerEvent {
  room: string;
  seq: number;
  sender: string;
  op: string;
  epoch: number;
  /** Commit time on the driver's monotonic clock. */
  committedMs: number;
}

export interface LedgerChange {
  n: number;
  committedMs: number;
  event:
    | { kind: 'session.ended'; sessions: string[] }
    | {
        kind: 'member.changed';
        room: string;
        user: string;
        role: string | null;
        banned: boolean;
        muted_until: string | null;
        epoch: number;
      }
    | { kind: 'other' };
}

export interface Ledger {
  events: LedgerEvent[];
  changes: LedgerChange[];
}

/** Stores and driver share one machine, so their wall clocks are one clock. */
export async function readLedger(
  databaseUrl: string,
  rooms: string[],
  afterN: number,
): Promise<Ledger> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const monotonic = (wallMs: number) => wallMs - (Date.now() - nowMs());
  try {
    const events = await client.query<{
      room_id: string;
      seq: string;
      sender: string;
      op_id: string;
      epoch: string;
      at: string;
    }>(
      `SELECT room_id, seq, sender, op_id, epoch, extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 AS at
       FROM room_events WHERE room_id = ANY($1::uuid[]) ORDER BY room_id, seq`,
      [rooms],
    );
    const changes = await client.query<{ n: string; payload: LedgerChange['event']; at: string }>(
      `SELECT n, payload, extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 AS at FROM authority_events WHERE n > $1 ORDER BY n`,
      [afterN],
    );
    return {
      events: events.rows.map((row) => ({
        room: row.room_id,
        seq: Number(row.seq),
        sender: row.sender,
        op: row.op_id,
        epoch: Number(row.epoch),
        committedMs: monotonic(Number(row.at)),
      })),
      changes: changes.rows.map((row) => ({
        n: Number(row.n),
        event: row.payload,
        committedMs: monotonic(Number(row.at)),
      })),
    };
  } finally {
    await client.end();
  }
}

export async function headOf(databaseUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return Number((await client.query<{ n: string }>('SELECT n FROM authority_head')).rows[0]!.n);
  } finally {
    await client.end();
  }
}
