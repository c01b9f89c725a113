/** The session of a token in Postgres, with its user and tenant. */
import { Injectable } from '@nestjs/common';
import { rfc3339 } from '../../platform/clock.js';
import { Database } from '../../platform/stores/database.js';
import type { Session, Tenant, User } from '../../platform/generated/client.js';
import type { TokenInspection } from './token-inspection.schema.js';

export interface TokenFacts {
  session: Session;
  tenant: Tenant;
  /** Null: a guest. */
  user: User | null;
}

@Injectable()
export class TokenFactsReader {
  constructor(private readonly database: Database) {}

  async of(session: string): Promise<TokenFacts | null> {
    const row = await this.database.prisma.session.findUnique({
      where: { id: session },
      include: { tenant: true },
    });
    if (row === null) return null;
    const user = await this.database.prisma.user.findUnique({ where: { id: row.userId } });
    const { tenant, ...rest } = row;
    return { session: rest, tenant, user };
  }
}

export const reasonOf = ({ endDetail, endReason }: Session): string | null =>
  endDetail ?? endReason;

export const idleEndsAt = ({ idleSeconds, lastActiveAt }: Session): Date | null =>
  idleSeconds === 0 ? null : new Date(lastActiveAt.getTime() + idleSeconds * 1000);

const textOf = (date: Date | null): string | null => (date === null ? null : rfc3339(date));

export function viewOfFacts(
  facts: TokenFacts | null,
): Pick<TokenInspection, 'session' | 'user' | 'tenant'> {
  if (facts === null) return { session: null, user: null, tenant: null };
  const { session, user, tenant } = facts;
  return {
    session: {
      id: session.id,
      state: session.endedAt === null ? 'live' : 'ended',
      device: session.device,
      created_at: rfc3339(session.createdAt),
      last_active_at: rfc3339(session.lastActiveAt),
      idle_ends_at: textOf(idleEndsAt(session)),
      expires_at: rfc3339(session.expiresAt),
      ended_at: textOf(session.endedAt),
      reason: reasonOf(session),
      ended_by: session.endedBy,
      receipt: session.endReceipt,
    },
    user: {
      id: session.userId,
      name: user?.name ?? null,
      email: user?.email ?? null,
      state: user?.state ?? null,
    },
    tenant: { id: tenant.id, slug: tenant.slug, state: tenant.state },
  };
}
