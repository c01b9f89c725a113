/**
 * Rotating and withdrawing signing keys. A key signs only after every node knows it: it is announced at once (`key.added`)
 * and begins later, after the JWKS that other services keep has run out. Withdrawing ends everything a key signed; when
 * it was the only one that signs, its successor is first confirmed by every node and then begins with the withdrawal.
 */
import { Injectable } from '@nestjs/common';
import { noteAudit } from '../audit/note-audit.js';
import { AuthorityLog } from '../authority/authority-log.js';
import type { Committed } from '../authority/authority-log.js';
import { Receipts } from '../authority/receipts.js';
import { Config } from '../platform/config.js';
import type { Tx } from '../platform/database.js';
import { DomainError } from '../platform/errors.js';
import { createSigningKey } from './wrapped-key.js';

/** Life of the JWKS answer (well-known.controller.ts), and room for whoever reads it late. */
export const JWKS_SECONDS = 300;
const ANNOUNCED_SECONDS = JWKS_SECONDS + 30;

interface KeyRow {
  kid: string;
  /** Neither withdrawn nor past its retirement: it signs, or is going to. */
  usable: boolean;
  signs: boolean;
}

export interface KeyChange {
  kid: string;
  /** Of the key that signs from now on, or from `signs_from`. */
  successor: string;
}

/** Runs first inside the transaction: the caller's rights are judged there (sessions/require-caller.ts). */
type Guard = (tx: Tx) => Promise<unknown>;

@Injectable()
export class KeyChanges {
  constructor(
    private readonly config: Config,
    private readonly log: AuthorityLog,
    private readonly receipts: Receipts,
  ) {}

  /** A new key that takes over after `ANNOUNCED_SECONDS`; the present ones retire then and go on verifying. */
  rotate(guard: Guard, tenant: string): Promise<Committed<string>> {
    return this.log.commit(async (tx) => {
      await guard(tx);
      await lockKeys(tx);
      const kid = await this.add(tx);
      await tx.$executeRaw`
        UPDATE signing_keys SET retired_at = (SELECT signs_from FROM signing_keys WHERE kid = ${kid})
        WHERE kid <> ${kid} AND withdrawn_at IS NULL AND retired_at IS NULL`;
      noteAudit(tx, { event: 'key_rotated', tenant, detail: { kid } });
      return { result: kid, events: [{ kind: 'key.added', kid }], tenant };
    });
  }

  /** The receipt says when no node accepts its tokens any more; clients are told `token_revoked` and refresh. */
  async withdraw(kid: string, guard: Guard, tenant: string): Promise<Committed<KeyChange>> {
    const prepared = await this.prepareSuccessor(kid, guard, tenant);
    await this.receipts.settle(prepared.pending);
    return this.log.commit(async (tx) => {
      await guard(tx);
      const successor = successorOf(await lockKeys(tx), kid);
      if (successor === undefined) throw new DomainError('unavailable', { detail: 'the successor was withdrawn meanwhile' });
      // In the past, so that a node whose clock is behind signs with it, too.
      if (!successor.signs) await tx.$executeRaw`UPDATE signing_keys SET signs_from = clock_timestamp() - interval '1 minute' WHERE kid = ${successor.kid}`;
      await tx.$executeRaw`UPDATE signing_keys SET retired_at = NULL WHERE kid = ${successor.kid}`;
      await tx.$executeRaw`UPDATE signing_keys SET withdrawn_at = coalesce(withdrawn_at, clock_timestamp()) WHERE kid = ${kid}`;
      noteAudit(tx, { event: 'key_withdrawn', tenant, detail: { kid, successor: successor.kid } });
      return { result: { kid, successor: successor.kid }, events: [{ kind: 'key.withdrawn', kid }], tenant };
    });
  }

  private prepareSuccessor(kid: string, guard: Guard, tenant: string): Promise<Committed<null>> {
    return this.log.commit(async (tx) => {
      await guard(tx);
      const rows = await lockKeys(tx);
      if (!rows.some((row) => row.kid === kid)) throw new DomainError('not_found');
      if (successorOf(rows, kid) !== undefined) return { result: null, events: [], tenant };
      const added = await this.add(tx);
      return { result: null, events: [{ kind: 'key.added', kid: added }], tenant };
    });
  }

  private async add(tx: Tx): Promise<string> {
    const key = await createSigningKey(this.config.secretKeys[0]!, new Date(Date.now() + ANNOUNCED_SECONDS * 1000));
    await tx.signingKey.create({ data: key });
    noteAudit(tx, { event: 'key_created', detail: { kid: key.kid } });
    return key.kid;
  }
}

/** One change at a time. */
function lockKeys(tx: Tx): Promise<KeyRow[]> {
  return tx.$queryRaw<KeyRow[]>`
    SELECT kid,
      withdrawn_at IS NULL AND (retired_at IS NULL OR retired_at > clock_timestamp()) AS usable,
      withdrawn_at IS NULL AND (retired_at IS NULL OR retired_at > clock_timestamp()) AND signs_from <= clock_timestamp() AS signs
    FROM signing_keys ORDER BY signs_from DESC, kid FOR UPDATE`;
}

/** One that signs already, else the one that is going to. */
function successorOf(rows: KeyRow[], kid: string): KeyRow | undefined {
  const others = rows.filter((row) => row.kid !== kid && row.usable);
  return others.find((row) => row.signs) ?? others[0];
}
