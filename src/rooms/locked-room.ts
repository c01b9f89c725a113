/**
 * A room inside the transaction of an authority call: its row is locked, and what the caller may do
 * is judged from rows read under that lock. Collects what changed; `room-transaction.ts` logs it
 * with the same COMMIT.
 */
import { Prisma } from '../platform/generated/client.js';
import type { Tx } from '../platform/stores/database.js';
import { DomainError } from '../platform/errors.js';
import { isId } from '../platform/ids.js';
import type { AuthorityEvent } from '../authority/events.js';
import { Decisions } from '../policy/decisions.js';
import type { Denial } from '../policy/decisions.js';
import { decideRoom } from '../policy/decide-room.js';
import type { ActionTarget, Allow, RoomAction } from '../policy/decide-room.js';
import type { Principal } from '../sessions/principal.js';
import { lockCaller } from '../sessions/lock-caller.js';
import { factsOf, roomRows } from './room-query.js';
import type { RoomRow } from './room-query.js';

export class LockedRoom {
  readonly shrunk: AuthorityEvent[] = [];
  readonly grown: AuthorityEvent[] = [];

  private constructor(
    readonly tx: Tx,
    readonly principal: Principal,
    /** As it was right after the lock was taken. */
    readonly row: RoomRow,
    private readonly decisions: Decisions,
  ) {}

  /** Lock order: tenants, users, sessions, rooms; members follow. */
  static async lock(
    tx: Tx,
    principal: Principal,
    ref: string,
    decisions: Decisions,
  ): Promise<LockedRoom> {
    await lockCaller(tx, principal);
    const named = isId(ref) ? Prisma.sql`id = ${ref}::uuid` : Prisma.sql`slug = ${ref}`;
    const locked = await tx.$queryRaw<{ id: string }[]>`
      SELECT id FROM rooms WHERE tenant_id = ${principal.tenantId}::uuid AND ${named} AND state = 'open' FOR NO KEY UPDATE`;
    const id = locked[0]?.id;
    if (id === undefined) throw new DomainError('not_found', { detail: 'no such open room' });
    const rows = await roomRows(tx, principal.userId, Prisma.sql`r.id = ${id}::uuid`);
    return new LockedRoom(tx, principal, rows[0]!, decisions);
  }

  get id(): string {
    return this.row.id;
  }

  /** Refuses with the ladder's code and a `decision_id`, and with it the whole transaction. */
  require(action: RoomAction, target?: ActionTarget): Allow {
    const decision = decideRoom(this.principal.userId, factsOf(this.row), action, target);
    return decision.allow ? decision : this.refuse(action, decision);
  }

  refuse(action: RoomAction, denial: Denial): never {
    return this.decisions.refuse(this.principal, this.id, action, denial, factsOf(this.row));
  }

  /**
   * The epoch an event of this change carries: a shrinking change moves it, so that older
   * deliveries wait for the change.
   */
  async epoch(shrinks: boolean): Promise<number> {
    if (!shrinks) return Number(this.row.epoch);
    const rows = await this.tx.$queryRaw<{ epoch: bigint }[]>`
      UPDATE rooms SET authz_epoch = authz_epoch + 1 WHERE id = ${this.id}::uuid RETURNING authz_epoch AS epoch`;
    return Number(rows[0]!.epoch);
  }

  note(shrinks: boolean, event: AuthorityEvent): void {
    (shrinks ? this.shrunk : this.grown).push(event);
  }
}
