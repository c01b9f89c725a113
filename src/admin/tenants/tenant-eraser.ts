/**
 * Erases the rows of deleted tenants in batches: one node at a time, soon after a deletion and once
 * a minute. The row of the tenant itself stays until the last token of its sessions is long dead: a
 * node that starts meanwhile reads there that the tenant is disabled. The audit keeps its records.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { LONGEST_TOKEN_LIFE_MS } from '../../authority/authority-state.js';
import { monotonicMs } from '../../platform/clock.js';
import { LOCKS } from '../../platform/stores/advisory-locks.js';
import { Database } from '../../platform/stores/database.js';

const EVERY_MS = 60_000;
/** Rows of one statement; other statements run between two of them. */
const BATCH = 2_000;
/** Below the time after which a lock of one node is let go (`Database.alone`). */
const ROUND_MS = 40_000;
/** Beyond this every token of the tenant is dead, with room for clocks. */
const REMEMBERED_SECONDS = (2 * LONGEST_TOKEN_LIFE_MS) / 1000;

const EVENTS_OF_ROOM = `
  WITH batch AS (
    SELECT seq, message_id FROM room_events WHERE room_id = $1 ORDER BY seq LIMIT $2
  ), reacted AS (
    DELETE FROM reactions r USING batch b WHERE r.message_id = b.message_id
  )
  DELETE FROM room_events e USING batch b WHERE e.room_id = $1 AND e.seq = b.seq`;
const MENTIONS_OF_ROOM = `
  DELETE FROM mentions WHERE (room_id, user_id, n) IN
    (SELECT room_id, user_id, n FROM mentions WHERE room_id = $1 LIMIT $2)`;
const PINS_OF_ROOM = `
  DELETE FROM pins WHERE (room_id, message_id) IN
    (SELECT room_id, message_id FROM pins WHERE room_id = $1 LIMIT $2)`;
const MEMBERS_OF_ROOM = `
  DELETE FROM members WHERE room_id = $1
    AND user_id IN (SELECT user_id FROM members WHERE room_id = $1 LIMIT $2)`;

/** Rows that point at others come first. */
const BEFORE_ROOMS = `
  DELETE FROM invites WHERE id IN (SELECT id FROM invites WHERE tenant_id = $1 LIMIT $2)`;
const OF_TENANT = [
  `DELETE FROM user_links WHERE (issuer, subject, tenant_id) IN
    (SELECT issuer, subject, tenant_id FROM user_links WHERE tenant_id = $1 LIMIT $2)`,
  `DELETE FROM connection_ends WHERE connection_id IN
     (SELECT connection_id FROM connection_ends WHERE tenant_id = $1 LIMIT $2)`,
  `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE tenant_id = $1 LIMIT $2)`,
  `DELETE FROM password_resets WHERE id IN (SELECT id FROM password_resets WHERE tenant_id = $1 LIMIT $2)`,
  `DELETE FROM users WHERE id IN (SELECT id FROM users WHERE tenant_id = $1 LIMIT $2)`,
];

const IS_EMPTY = `
  SELECT NOT EXISTS (SELECT 1 FROM users WHERE tenant_id = $1)
    AND NOT EXISTS (SELECT 1 FROM sessions WHERE tenant_id = $1)
    AND NOT EXISTS (SELECT 1 FROM rooms WHERE tenant_id = $1) AS empty`;

/** A session that was opened at the last moment may hold one back; the next round takes it. */
const FORGET = `
  DELETE FROM tenants t WHERE erased_at < clock_timestamp() - make_interval(secs => $1)
    AND NOT EXISTS (SELECT 1 FROM users WHERE tenant_id = t.id)
    AND NOT EXISTS (SELECT 1 FROM sessions WHERE tenant_id = t.id)
    AND NOT EXISTS (SELECT 1 FROM rooms WHERE tenant_id = t.id)`;

@Injectable()
export class TenantEraser implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(TenantEraser.name);
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<unknown> | null = null;
  private stopped = false;
  private endsAtMs = 0;

  constructor(private readonly database: Database) {}

  onModuleInit(): void {
    this.timer = setInterval(() => this.nudge(), EVERY_MS * (0.75 + Math.random() / 2));
    this.timer.unref();
  }

  /** Nothing of it is left but its own row. */
  async isEmpty(tenant: string): Promise<boolean> {
    const { rows } = await this.database.pool.query<{ empty: boolean }>(IS_EMPTY, [tenant]);
    return rows[0]!.empty;
  }

  /** Begins a round unless one is under way here. Nobody waits for it. */
  nudge(): void {
    if (this.running !== null || this.stopped) return;
    this.running = this.round()
      .catch((error: Error) => this.logger.warn({ msg: 'erasing failed', error: error.message }))
      .finally(() => (this.running = null));
  }

  /** One round, unless another node is at it. */
  async round(): Promise<void> {
    await this.database.alone(LOCKS.tenantErase, async () => {
      this.endsAtMs = monotonicMs() + ROUND_MS;
      const { rows } = await this.database.pool.query<{ id: string }>(
        'SELECT id FROM tenants WHERE erased_at IS NOT NULL ORDER BY erased_at',
      );
      for (const { id } of rows) await this.erase(id);
      await this.database.pool.query(FORGET, [REMEMBERED_SECONDS]);
    });
  }

  private async erase(tenant: string): Promise<void> {
    await this.inBatches(BEFORE_ROOMS, tenant);
    while (this.mayGoOn()) {
      const { rows } = await this.database.pool.query<{ id: string }>(
        'SELECT id FROM rooms WHERE tenant_id = $1 LIMIT $2',
        [tenant, BATCH],
      );
      if (rows.length === 0) break;
      for (const { id } of rows) await this.eraseRoom(id);
    }
    for (const statement of OF_TENANT) await this.inBatches(statement, tenant);
  }

  private async eraseRoom(room: string): Promise<void> {
    await this.inBatches(EVENTS_OF_ROOM, room);
    await this.inBatches(MENTIONS_OF_ROOM, room);
    await this.inBatches(PINS_OF_ROOM, room);
    await this.inBatches(MEMBERS_OF_ROOM, room);
    if (this.mayGoOn()) await this.database.pool.query('DELETE FROM rooms WHERE id = $1', [room]);
  }

  private async inBatches(statement: string, of: string): Promise<void> {
    for (let gone = BATCH; gone > 0 && this.mayGoOn();)
      gone = (await this.database.pool.query(statement, [of, BATCH])).rowCount ?? 0;
  }

  private mayGoOn(): boolean {
    return !this.stopped && monotonicMs() < this.endsAtMs;
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearInterval(this.timer);
    await this.running;
  }
}
