/**
 * Rotating and withdrawing signing keys. A key signs only after every node knows it: it is
 * announced at once (`key.added`) and begins later, after the bound of the authority log and after
 * the JWKS that other services keep have run out. Withdrawing ends everything a key signed; when it
 * was the only one that signs, its successor is first confirmed by every node and then begins with
 * the withdrawal.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../../audit/record-audit.js';
import { AuthorityLog } from '../../authority/authority-log.js';
import type { Change, Committed } from '../../authority/authority-log.js';
import type { AuthorityEvent } from '../../authority/events.js';
import { HistoryReplacement } from '../../authority/history-replacement.js';
import { Receipts } from '../../authority/receipts.js';
import { KEY_PROPAGATION_MS } from '../../platform/config/config-rules.js';
import { Config } from '../../platform/config/config.js';
import { LOCKS } from '../../platform/stores/advisory-locks.js';
import { Database } from '../../platform/stores/database.js';
import type { Tx } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { createSigningKey } from './wrapped-key.js';

/** Long after nothing of theirs verifies, retired and withdrawn keys are forgotten. */
const KEEP_DAYS = 90;

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

/**
 * Runs first inside the transaction: the caller's rights are judged there
 * (sessions/lock-caller.ts).
 */
type Guard = (tx: Tx) => Promise<unknown>;

/** For the audit. `by`: where nobody is named. */
interface Why {
  by: 'request' | 'command' | 'age';
  reason?: string;
}

@Injectable()
export class KeyChanges {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly log: AuthorityLog,
    private readonly receipts: Receipts,
    replacement: HistoryReplacement,
  ) {
    replacement.onReplaced((tx, { ended }) => this.withdrawAgain(tx, ended.withdrawnKeys));
  }

  /**
   * The youngest key is older than KEY_ROTATION_DAYS: a rotation that was asked for meanwhile
   * counts.
   */
  async isDue(): Promise<boolean> {
    const [row] = await this.database.hot<{ due: boolean }>('key_rotation_due', IS_DUE, [
      this.rotationSeconds,
    ]);
    return row?.due === true;
  }

  private get rotationSeconds(): number {
    return this.config.keyRotationDays * 86_400;
  }

  /**
   * A new key that takes over later; the present ones retire then and go on verifying until their
   * last token is dead.
   */
  rotate(guard: Guard, tenant: string, why: Why): Promise<Committed<string>> {
    return this.log.commit(async (tx) => {
      await guard(tx);
      return this.rotateIn(tx, tenant, why);
    });
  }

  /** The same when it is due; one node of the cluster does it. Null: another one did. */
  rotateIfDue(tenant: string): Promise<Committed<string | null>> {
    return this.log.commit<string | null>(async (tx) => {
      const [lock] = await tx.$queryRaw<
        { mine: boolean }[]
      >`SELECT pg_try_advisory_xact_lock(${LOCKS.keyRotation}::bigint) AS mine`;
      const [row] =
        lock?.mine === true
          ? await tx.$queryRawUnsafe<{ due: boolean }[]>(IS_DUE, this.rotationSeconds)
          : [];
      if (row?.due !== true) return { result: null, events: [], tenant };
      await forgetOldKeys(tx);
      return this.rotateIn(tx, tenant, { by: 'age' });
    });
  }

  /**
   * The receipt says when no node accepts its tokens any more; clients are told `token_revoked` and
   * refresh.
   */
  async withdraw(
    kid: string,
    guard: Guard,
    tenant: string,
    why: Why,
  ): Promise<Committed<KeyChange>> {
    const prepared = await this.prepareSuccessor(kid, guard, tenant);
    await this.receipts.waitForReceipt(prepared.pending);
    return this.log.commit(async (tx) => {
      await guard(tx);
      const successor = successorOf(await lockKeys(tx), kid);
      if (successor === undefined)
        throw new DomainError('unavailable', { detail: 'the successor was withdrawn meanwhile' });
      // In the past, so that a node whose clock is behind signs with it, too.
      if (!successor.signs)
        await tx.$executeRaw`UPDATE signing_keys SET signs_from = clock_timestamp() - interval '1 minute' WHERE kid = ${successor.kid}`;
      await tx.$executeRaw`UPDATE signing_keys SET withdrawn_at = coalesce(withdrawn_at, clock_timestamp()) WHERE kid = ${kid}`;
      await retireInTurn(tx);
      recordAudit(tx, {
        event: 'key_withdrawn',
        tenant,
        detail: { kid, successor: successor.kid, ...why },
      });
      return {
        result: { kid, successor: successor.kid },
        events: [{ kind: 'key.withdrawn', kid }],
        tenant,
      };
    });
  }

  /** The database forgot the withdrawal: at once, because nodes refuse these keys already. */
  private async withdrawAgain(tx: Tx, kids: readonly string[]): Promise<AuthorityEvent[]> {
    const again = await tx.$queryRaw<{ kid: string }[]>`
      UPDATE signing_keys SET withdrawn_at = clock_timestamp() WHERE kid = ANY(${[...kids]}) AND withdrawn_at IS NULL RETURNING kid`;
    if (again.length === 0) return [];
    for (const { kid } of again)
      recordAudit(tx, { event: 'key_withdrawn', detail: { kid, by: 'history_replaced' } });
    const events: AuthorityEvent[] = again.map(({ kid }) => ({ kind: 'key.withdrawn', kid }));
    const usable = (await lockKeys(tx)).filter((row) => row.usable);
    if (usable.some((row) => row.signs)) return events;
    const kid = usable[0]?.kid ?? (await this.addKey(tx, null));
    await tx.$executeRaw`UPDATE signing_keys SET signs_from = clock_timestamp() - interval '1 minute' WHERE kid = ${kid}`;
    await retireInTurn(tx);
    return [...events, { kind: 'key.added', kid }];
  }

  private async rotateIn(tx: Tx, tenant: string, why: Why): Promise<Change<string>> {
    const change = await this.addSuccessor(tx, tenant);
    recordAudit(tx, { event: 'key_rotated', tenant, detail: { kid: change.result, ...why } });
    return change;
  }

  private prepareSuccessor(
    kid: string,
    guard: Guard,
    tenant: string,
  ): Promise<Committed<string | null>> {
    return this.log.commit<string | null>(async (tx) => {
      await guard(tx);
      const rows = await lockKeys(tx);
      if (!rows.some((row) => row.kid === kid))
        throw new DomainError('not_found', { detail: 'no such key' });
      const successor = successorOf(rows, kid);
      if (successor === undefined) return this.addSuccessor(tx, tenant);
      // Announced before, perhaps only just: logged again, so that the receipt waits until every
      // node knows it.
      return {
        result: null,
        events: successor.signs ? [] : [{ kind: 'key.added', kid: successor.kid }],
        tenant,
      };
    });
  }

  private async addSuccessor(tx: Tx, tenant: string): Promise<Change<string>> {
    const kid = await this.addKey(tx, tenant);
    return { result: kid, events: [{ kind: 'key.added', kid }], tenant };
  }

  private async addKey(tx: Tx, tenant: string | null): Promise<string> {
    await lockKeys(tx);
    // A node may have been given another lease than this process.
    const [row] = await tx.$queryRaw<{ signs_from: Date }[]>`
      SELECT clock_timestamp() + make_interval(secs => greatest(
        ${this.config.keyAnnounceSeconds}::float8, (SELECT max(lease_ms) + ${KEY_PROPAGATION_MS}::integer FROM nodes WHERE left_at IS NULL) / 1000.0::float8
      )) AS signs_from`;
    const key = await createSigningKey(
      this.config.secretKeys[0]!,
      row!.signs_from,
      this.config.signingAlg,
    );
    await tx.signingKey.create({ data: key });
    await retireInTurn(tx);
    recordAudit(tx, { event: 'key_created', tenant, detail: { kid: key.kid, alg: key.alg } });
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
  return others.find((row) => row.signs) ?? others.at(-1);
}

/**
 * Of the keys that sign or are going to, each retires when the next begins, and the last has no
 * end.
 */
async function retireInTurn(tx: Tx): Promise<void> {
  await tx.$executeRaw`
    WITH turn AS (
      SELECT kid, lead(signs_from) OVER (ORDER BY signs_from, kid) AS next FROM signing_keys
      WHERE withdrawn_at IS NULL AND (retired_at IS NULL OR retired_at > clock_timestamp())
    )
    UPDATE signing_keys k SET retired_at = turn.next FROM turn WHERE k.kid = turn.kid AND k.retired_at IS DISTINCT FROM turn.next`;
}

const IS_DUE = `SELECT max(created_at) < clock_timestamp() - make_interval(secs => $1::float8) AS due FROM signing_keys WHERE withdrawn_at IS NULL`;

async function forgetOldKeys(tx: Tx): Promise<void> {
  await tx.$executeRaw`
    DELETE FROM signing_keys WHERE least(retired_at, withdrawn_at) < clock_timestamp() - make_interval(days => ${KEEP_DAYS}::integer)`;
}
