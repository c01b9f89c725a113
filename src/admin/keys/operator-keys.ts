/** Signing keys as operators list and rotate them. */
import { Injectable } from '@nestjs/common';
import { KeyChanges } from '../../auth/keys/key-changes.js';
import { keyState } from '../../auth/keys/signing-keys.js';
import { Receipts } from '../../authority/receipts.js';
import { rfc3339 } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import type { SigningKey } from '../../platform/generated/client.js';
import { Database } from '../../platform/stores/database.js';
import type { Tx } from '../../platform/stores/database.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization } from '../admin-authorization.js';
import type { KeyList, KeyView, RotatedKey, Rotation } from './key.schema.js';

/** Keys that are published and do not sign yet: each is in every copy of the JWKS. */
const ANNOUNCED_MAX = 3;
const INSTALLATION = { tenantId: null };

@Injectable()
export class OperatorKeys {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly database: Database,
    private readonly changes: KeyChanges,
    private readonly receipts: Receipts,
  ) {}

  async list(principal: Principal): Promise<KeyList> {
    await this.admin.require(principal, 'read_keys', INSTALLATION);
    const rows = await this.database.prisma.signingKey.findMany({ orderBy: { createdAt: 'desc' } });
    return { items: rows.map(viewOf), next_cursor: null };
  }

  /** The receipt says when every node knows the new key; it signs from `signs_from`. */
  async rotate(principal: Principal, { reason }: Rotation, wait: boolean): Promise<RotatedKey> {
    await this.admin.require(principal, 'rotate_key', INSTALLATION);
    const guard = async (tx: Tx) => {
      const { role } = await lockCaller(tx, principal);
      this.admin.authorize(principal, role, 'rotate_key', INSTALLATION);
      await requireFewAnnounced(tx);
    };
    const { result: kid, pending } = await this.changes.rotate(guard, principal.tenantId, {
      by: 'request',
      reason,
    });
    const key = await this.database.prisma.signingKey.findUniqueOrThrow({ where: { kid } });
    return { key: viewOf(key), receipt: await this.receipts.waitForReceipt(pending, wait) };
  }
}

async function requireFewAnnounced(tx: Tx): Promise<void> {
  const [row] = await tx.$queryRaw<{ announced: bigint }[]>`
    SELECT count(*) AS announced FROM signing_keys WHERE withdrawn_at IS NULL AND signs_from > clock_timestamp()`;
  if (Number(row!.announced) >= ANNOUNCED_MAX)
    throw new DomainError('quota_exceeded', {
      message: 'New keys are announced already: wait until they sign, or withdraw one.',
    });
}

const viewOf = (row: SigningKey): KeyView => ({
  kid: row.kid,
  alg: row.alg,
  state: keyState(row),
  created_at: rfc3339(row.createdAt),
  signs_from: rfc3339(row.signsFrom),
  retired_at: row.retiredAt === null ? null : rfc3339(row.retiredAt),
  withdrawn_at: row.withdrawnAt === null ? null : rfc3339(row.withdrawnAt),
});
