/**
 * Links into a room. An invitation is worth what its author may do at that moment: once the author
 * may not add such a member any more, it opens nothing. A use is counted in the transaction that
 * lets the user in, under the lock of the room, so 20 users at once with 5 uses are 5 members.
 */
import { Injectable } from '@nestjs/common';
import type { Role } from '@wardroom/protocol';
import { recordAudit } from '../../audit/record-audit.js';
import {
  createInvite,
  inviteViewOf,
  liveInvites,
  requireInvite,
  takeInvite,
  withdrawInvite,
} from '../../auth/links/invites.js';
import type { Withdrawn } from '../../auth/links/invite.schema.js';
import { linkCodeHash, linkUrl } from '../../auth/links/link-code.js';
import { PublicUrl } from '../../auth/tokens/public-url.js';
import { AuthorityLog } from '../../authority/authority-log.js';
import { Prisma } from '../../platform/generated/client.js';
import type { Invite } from '../../platform/generated/client.js';
import { Database } from '../../platform/stores/database.js';
import { decideRoom } from '../../policy/decide-room.js';
import { Decisions } from '../../policy/decisions.js';
import { Policy } from '../../policy/policy.js';
import { lockCaller } from '../../sessions/lock-caller.js';
import type { Principal } from '../../sessions/principal.js';
import { LockedRoom } from '../locked-room.js';
import type { Member } from '../members/member.schema.js';
import { findUser, setStanding, toMember } from '../members/membership.js';
import { factsOf, roomRows } from '../room-query.js';
import { RoomTransaction } from '../room-transaction.js';
import type { CreatedRoomInvite, NewRoomInvite, RoomInvites } from './invite.schema.js';

@Injectable()
export class RoomInvitations {
  constructor(
    private readonly change: RoomTransaction,
    private readonly log: AuthorityLog,
    private readonly database: Database,
    private readonly policy: Policy,
    private readonly decisions: Decisions,
    private readonly publicUrl: PublicUrl,
  ) {}

  async create(
    principal: Principal,
    ref: string,
    { max_uses, expires_in, role }: NewRoomInvite,
  ): Promise<CreatedRoomInvite> {
    const { result } = await this.change.run(principal, ref, true, async (room) => {
      room.require('add_member', { newRole: role });
      const { code, invite } = await createInvite(room.tx, {
        tenantId: principal.tenantId,
        roomId: room.id,
        role,
        email: null,
        maxUses: max_uses ?? null,
        seconds: expires_in,
        createdBy: principal.userId,
      });
      recordAudit(room.tx, {
        event: 'invite_created',
        detail: { invite: invite.id, room: room.id, role },
      });
      const { tenantId } = principal;
      const url = await linkUrl(room.tx, this.publicUrl.value, 'room', { code, tenantId });
      return { code: code.text, url, ...viewOf(invite) };
    });
    return result;
  }

  async list(principal: Principal, ref: string): Promise<RoomInvites> {
    const { room } = await this.policy.authorize(principal, ref, 'add_member');
    const target = { tenantId: principal.tenantId, roomId: room.id };
    const items = await liveInvites(this.database.prisma, target);
    return { items: items.map(viewOf), next_cursor: null };
  }

  async withdraw(principal: Principal, ref: string, code: string): Promise<Withdrawn> {
    const { result } = await this.change.run(principal, ref, true, async (room) => {
      room.require('add_member');
      const target = { tenantId: principal.tenantId, roomId: room.id };
      const id = await withdrawInvite(room.tx, target, code);
      recordAudit(room.tx, { event: 'invite_withdrawn', detail: { invite: id, room: room.id } });
      return { id };
    });
    return result;
  }

  /** A member stays what they are, and uses nothing up: the same call again is the same. */
  async accept(principal: Principal, code: string): Promise<Member> {
    const codeHash = requireInvite(linkCodeHash('room', code));
    const { result } = await this.log.commit(async (tx) => {
      const invite = await tx.invite.findUnique({ where: { codeHash } });
      const { id, roomId, role, createdBy } = requireInvite(invite);
      await lockCaller(tx, principal, 'share', createdBy);
      const room = await LockedRoom.lock(tx, principal, requireInvite(roomId), this.decisions);
      room.require('accept_invite');
      const me = await findUser(room, principal.userId);
      const { shrunk: events, grown } = room;
      const change = { events, grown, tenant: principal.tenantId };
      if (me.role !== null) return { ...change, result: toMember(room.id, me) };
      const isTaken = await takeInvite(tx, id);
      requireInvite(isTaken && (await mayStillInvite(room, createdBy, role as Role)) ? id : null);
      const after = await setStanding(room, me, { ...me, role: role as Role });
      recordAudit(tx, { event: 'invite_accepted', detail: { invite: id, room: room.id } });
      return { ...change, result: toMember(room.id, after) };
    });
    return result;
  }
}

async function mayStillInvite(room: LockedRoom, author: string, newRole: Role): Promise<boolean> {
  const [row] = await roomRows(room.tx, author, Prisma.sql`r.id = ${room.id}::uuid`);
  return row !== undefined && decideRoom(author, factsOf(row), 'add_member', { newRole }).allow;
}

const viewOf = (invite: Invite) => ({
  ...inviteViewOf(invite),
  role: invite.role as NewRoomInvite['role'],
});
