/**
 * After a restore: nobody can say which of the sessions in this database were ended since it was
 * saved. So all are ended, and the log begins another history, which every node notices as it
 * notices a database that lost commits. Once more does the same once more.
 */
import { Injectable } from '@nestjs/common';
import { AuthorityLog } from '../authority/authority-log.js';
import type { Committed } from '../authority/authority-log.js';
import type { Position } from '../authority/authority-state.js';
import { HistoryReplacement } from '../authority/history-replacement.js';
import type { Tx } from '../platform/stores/database.js';
import { LOCKS } from '../platform/stores/advisory-locks.js';

const NOTHING_KNOWN = { sessions: new Map(), disabledTenants: [], withdrawnKeys: [] };

@Injectable()
export class RestoreFence {
  constructor(
    private readonly log: AuthorityLog,
    private readonly replacement: HistoryReplacement,
  ) {}

  /** Answers the position at which the former history ends here. */
  run(): Promise<Committed<Position>> {
    return this.log.commit(async (tx) => {
      // A node that starts decides before or after.
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(${LOCKS.migration}::bigint)`;
      const from = await headOf(tx);
      const change = await this.replacement.writeIn(tx, from, 'restore', NOTHING_KNOWN);
      return { ...change, result: from };
    });
  }
}

async function headOf(tx: Tx): Promise<Position> {
  const [head] = await tx.$queryRaw<
    { history: string; n: bigint; hash: string }[]
  >`SELECT history, n, encode(hash, 'hex') AS hash FROM authority_head`;
  return { history: head!.history, n: Number(head!.n), hash: head!.hash };
}
