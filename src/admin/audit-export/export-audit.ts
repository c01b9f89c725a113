/**
 * The whole audit as lines, in the order in which it was written, up to what was there when the
 * export began. One piece is in memory at a time, and the next is read when the client took it.
 *
 * Positions are taken before their transactions commit, so a later one may be seen first. An export
 * therefore ends at the position that was the last at its beginning, and first waits for everybody
 * who was writing the audit then: they hold the lock of the table until they end.
 */
import { Injectable } from '@nestjs/common';
import { Readable } from 'node:stream';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import { FairGate } from '../../platform/fair-gate.js';
import { Database } from '../../platform/stores/database.js';
import { SERVING } from '../../platform/stores/postgres-settings.js';
import type { AuditExportQuery } from './audit-export.schema.js';
import { ocsfOf } from './ocsf.js';
import type { ExportedRecord } from './ocsf.js';

const PIECE = 200;
/** Exports of a node at the same time; others wait shortly. */
const BESIDE_EACH_OTHER = { running: 4, perKey: 4, waiting: 16, patienceMs: 2_000 };
const POLL_MS = 20;
/** Beyond the longest transaction of a node. */
const WRITERS_MS = SERVING.statementMs + SERVING.idleInTransactionMs;

const LAST = `
  SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last FROM audit_events_position_seq`;
const WRITERS = `
  SELECT virtualtransaction AS writer FROM pg_locks
  WHERE locktype = 'relation' AND relation = 'audit_events'::regclass AND mode = 'RowExclusiveLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
const READ = `
  SELECT position, id, node, n, at, event, tenant_id, actor_id, user_id, session_hash, ip, request_id, detail
  FROM audit_events WHERE position > $1 AND position <= $2 ORDER BY position LIMIT ${PIECE}`;

interface Row extends ExportedRecord {
  position: string;
}

@Injectable()
export class ExportAudit {
  private readonly gate = new FairGate(BESIDE_EACH_OTHER);

  constructor(private readonly database: Database) {}

  /**
   * Refuses here; the lines flow when the caller names where to. `stillMay` throws when the caller
   * may not any more: the answer is cut then, so that nobody takes it for whole. The place of
   * `reader` among the exports of this node is free again when the last line is written.
   */
  begin(
    reader: string,
    query: AuditExportQuery,
    stillMay: () => void | Promise<void>,
  ): Promise<(to: Writable) => Promise<void>> {
    return new Promise((resolve, reject) => {
      const whole = this.gate.run(reader, async () => {
        const { from, last } = await this.range(query);
        await new Promise<void>((done) =>
          resolve((to) => this.write(from, last, stillMay, to).finally(done)),
        );
      });
      whole.catch(reject);
    });
  }

  private async range({
    after,
    last: count,
  }: AuditExportQuery): Promise<{ from: string; last: string }> {
    const last = await this.settled();
    const from =
      after === undefined ? await this.before(last, count) : await this.positionOf(after, last);
    return { from, last };
  }

  private write(
    from: string,
    last: string,
    stillMay: () => void | Promise<void>,
    to: Writable,
  ): Promise<void> {
    return pipeline(Readable.from(this.read(from, last, stillMay), { highWaterMark: 1 }), to);
  }

  private async *read(
    from: string,
    last: string,
    stillMay: () => void | Promise<void>,
  ): AsyncGenerator<string> {
    for (let position = from; ;) {
      const { rows } = await this.database.pool.query<Row>(READ, [position, last]);
      await stillMay();
      if (rows.length === 0) return;
      yield rows.map((row) => `${JSON.stringify(ocsfOf(row, cursorOf(row)))}\n`).join('');
      position = rows.at(-1)!.position;
    }
  }

  /** A position up to which nothing is under way any more. */
  private async settled(): Promise<string> {
    const last = (await this.database.pool.query<{ last: string }>(LAST)).rows[0]!.last;
    const untilMs = monotonicMs() + WRITERS_MS;
    let waited = await this.writers();
    while (waited.size > 0) {
      if (monotonicMs() > untilMs)
        throw new DomainError('unavailable', { detail: 'somebody keeps writing the audit' });
      await sleep(POLL_MS);
      const still = await this.writers();
      waited = new Set([...waited].filter((writer) => still.has(writer)));
    }
    return last;
  }

  private async writers(): Promise<Set<string>> {
    const { rows } = await this.database.pool.query<{ writer: string }>(WRITERS);
    return new Set(rows.map(({ writer }) => writer));
  }

  /** The position before the last `count` records; before all of them without it. */
  private async before(last: string, count: number | undefined): Promise<string> {
    if (count === undefined) return '0';
    const { rows } = await this.database.pool.query<{ position: string }>(
      'SELECT position FROM audit_events WHERE position <= $1 ORDER BY position DESC OFFSET $2 LIMIT 1',
      [last, count],
    );
    return rows[0]?.position ?? '0';
  }

  /** A cursor of a history that the database lost would skip what was written since. */
  private async positionOf(cursor: string, last: string): Promise<string> {
    const [position] = cursor.split('-') as [string, string];
    const { rows } = await this.database.pool.query<{ id: string; position: string }>(
      'SELECT id, position FROM audit_events WHERE position = $1',
      [position],
    );
    const [row] = rows;
    const isLost = row === undefined ? BigInt(position) > BigInt(last) : cursorOf(row) !== cursor;
    if (isLost)
      throw new DomainError('invalid_request', {
        errors: [{ path: 'after', message: 'names no record: begin again without it' }],
      });
    return position;
  }
}

const cursorOf = ({ position, id }: Pick<Row, 'position' | 'id'>): string =>
  `${position}-${id.slice(-12)}`;
