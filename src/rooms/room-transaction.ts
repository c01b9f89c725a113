/**
 * One authority change in a room: a first answer from the policy, so that strangers take no lock;
 * then one transaction that locks, judges again, changes and logs; then the receipt.
 */
import { Injectable } from '@nestjs/common';
import { AuthorityLog } from '../authority/authority-log.js';
import { Receipts } from '../authority/receipts.js';
import type { Receipt } from '../authority/receipt.schema.js';
import { Decisions } from '../policy/decisions.js';
import { Policy } from '../policy/policy.js';
import type { Principal } from '../sessions/principal.js';
import { LockedRoom } from './locked-room.js';

export interface Changed<T> {
  result: T;
  /** Null when the change only added rights, or changed nothing. */
  receipt: Receipt | null;
}

@Injectable()
export class RoomTransaction {
  constructor(
    private readonly log: AuthorityLog,
    private readonly receipts: Receipts,
    private readonly policy: Policy,
    private readonly decisions: Decisions,
  ) {}

  async run<T>(
    principal: Principal,
    ref: string,
    wait: boolean,
    work: (room: LockedRoom) => Promise<T>,
  ): Promise<Changed<T>> {
    await this.policy.authorize(principal, ref, 'read');
    const { result, pending } = await this.log.commit(async (tx) => {
      const room = await LockedRoom.lock(tx, principal, ref, this.decisions);
      return {
        result: await work(room),
        events: room.shrunk,
        grown: room.grown,
        tenant: principal.tenantId,
      };
    });
    return { result, receipt: await this.receipts.waitForReceipt(pending, wait) };
  }
}
