/**
 * New rooms. The creator of a group room owns it; a direct room has two plain members for ever and
 * is made once per pair.
 */
import { Injectable } from '@nestjs/common';
import type { Role } from '@wardroom/protocol';
import { recordAudit } from '../audit/record-audit.js';
import { AuthorityLog } from '../authority/authority-log.js';
import type { AuthorityEvent } from '../authority/events.js';
import { Config } from '../platform/config/config.js';
import { uniqueOr } from '../platform/stores/database.js';
import type { Tx } from '../platform/stores/database.js';
import { DomainError } from '../platform/errors.js';
import { Prisma } from '../platform/generated/client.js';
import { newId } from '../platform/ids.js';
import { isSystemRole } from '../platform/stores/system-tenant.js';
import { decideCreate } from '../policy/decide-room.js';
import { Decisions } from '../policy/decisions.js';
import { factsWithoutRoom } from '../policy/facts.js';
import type { Principal } from '../sessions/principal.js';
import { lockCaller } from '../sessions/lock-caller.js';
import { requireRoomForRoom } from './owned-rooms.js';
import { roomRows, toRoom } from './room-query.js';
import type { NewDirectRoom, NewGroupRoom, NewRoom, Room } from './room.schema.js';

export interface CreatedRoom {
  room: Room;
  /** False: the direct room was there already. */
  created: boolean;
}

@Injectable()
export class CreateRoom {
  constructor(
    private readonly log: AuthorityLog,
    private readonly decisions: Decisions,
    private readonly config: Config,
  ) {}

  create(principal: Principal, input: NewRoom): Promise<CreatedRoom> {
    return uniqueOr('slug_taken', async () => {
      const { result } = await this.log.commit(async (tx) => {
        const { role } = await lockCaller(tx, principal, 'change');
        const decision = decideCreate({ role });
        if (!decision.allow)
          this.decisions.refuse(principal, '', 'create_room', decision, factsWithoutRoom(role));
        if (input.visibility !== 'direct')
          await requireRoomForRoom(tx, principal.userId, this.config);
        const { id, created } =
          input.visibility === 'direct'
            ? await createDirect(tx, principal, input)
            : await createGroup(tx, principal, input);
        if (created)
          recordAudit(tx, {
            event: 'room_created',
            detail: { room: id, visibility: input.visibility },
          });
        const rows = await roomRows(
          tx,
          principal.userId,
          Prisma.sql`r.id = ${id}::uuid`,
          'counted',
        );
        return {
          result: { room: toRoom(rows[0]!, principal.userId), created },
          events: [],
          grown: created ? await membersAdded(tx, id) : [],
          tenant: principal.tenantId,
        };
      });
      return result;
    });
  }
}

async function createGroup(
  tx: Tx,
  { tenantId, userId }: Principal,
  { name, slug, visibility, posting }: NewGroupRoom,
) {
  const id = newId();
  await tx.$executeRaw`
    INSERT INTO rooms (id, tenant_id, slug, name, visibility, posting, created_by)
    VALUES (${id}::uuid, ${tenantId}::uuid, ${slug ?? null}, ${name}, ${visibility}, ${posting}, ${userId}::uuid)`;
  await tx.$executeRaw`INSERT INTO members (room_id, user_id, role) VALUES (${id}::uuid, ${userId}::uuid, 'owner')`;
  return { id, created: true };
}

async function createDirect(
  tx: Tx,
  { tenantId, userId }: Principal,
  { members, name }: NewDirectRoom,
) {
  const [other, ...more] = members.filter((member) => member !== userId);
  if (other === undefined || more.length > 0) {
    throw new DomainError('invalid_request', {
      errors: [{ path: 'members', message: 'exactly one other user' }],
    });
  }
  const users = await tx.$queryRaw<
    { role: string }[]
  >`SELECT role FROM users WHERE id = ${other}::uuid AND tenant_id = ${tenantId}::uuid`;
  if (users[0] === undefined || isSystemRole(users[0].role))
    throw new DomainError('not_found', { detail: 'no such user in the tenant' });
  const key = [userId, other].sort().join(':');
  const made = await tx.$queryRaw<{ id: string }[]>`
    INSERT INTO rooms (id, tenant_id, name, visibility, direct_key, created_by)
    VALUES (${newId()}::uuid, ${tenantId}::uuid, ${name ?? 'direct'}, 'direct', ${key}, ${userId}::uuid)
    ON CONFLICT (tenant_id, direct_key) WHERE state = 'open' DO NOTHING RETURNING id`;
  if (made[0] !== undefined) {
    const { id } = made[0];
    await tx.$executeRaw`
      INSERT INTO members (room_id, user_id, role) VALUES (${id}::uuid, ${userId}::uuid, 'member'), (${id}::uuid, ${other}::uuid, 'member')`;
    return { id, created: true };
  }
  const found = await tx.$queryRaw<
    { id: string }[]
  >`SELECT id FROM rooms WHERE tenant_id = ${tenantId}::uuid AND direct_key = ${key} AND state = 'open'`;
  return { id: found[0]!.id, created: false };
}

/** For the other devices of the creator, and for the other user of a direct room. */
async function membersAdded(tx: Tx, room: string): Promise<AuthorityEvent[]> {
  const rows = await tx.$queryRaw<{ user_id: string; role: Role; version: number }[]>`
    SELECT user_id, role, version FROM members WHERE room_id = ${room}::uuid`;
  return rows.map(({ user_id, role, version }) => ({
    kind: 'member.changed',
    room,
    user: user_id,
    role,
    muted_until: null,
    banned: false,
    version,
    epoch: 0,
    was: null,
  }));
}
