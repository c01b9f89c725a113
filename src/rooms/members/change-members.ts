/**
 * Joining, leaving, inviting, moderating: each one transaction that judges, changes and logs
 * (room-transaction.ts).
 */
import { Injectable } from '@nestjs/common';
import type { Role } from '@wardroom/protocol';
import type { Receipt } from '../../authority/receipt.schema.js';
import { wallMs } from '../../platform/clock.js';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors.js';
import type { Principal } from '../../sessions/principal.js';
import { RoomTransaction } from '../room-transaction.js';
import type { LockedRoom } from '../locked-room.js';
import { findUser, setStanding, targetFacts, toMember } from './membership.js';
import type { MemberRow, MembershipState } from './membership.js';
import { requireRoomForRoom } from '../owned-rooms.js';
import type { ChangedMember, Member, MemberPatch, NewMember } from './member.schema.js';

export interface AddedMember extends ChangedMember {
  /** False: was a member in that role already. */
  created: boolean;
}

@Injectable()
export class ChangeMembers {
  constructor(
    private readonly change: RoomTransaction,
    private readonly config: Config,
  ) {}

  /** Into a public room, as a plain member; a mute survives leaving and joining again. */
  async join(principal: Principal, ref: string): Promise<Member> {
    const { result } = await this.change.run(principal, ref, true, async (room) => {
      room.require('join');
      const me = await findUser(room, principal.userId);
      return toMember(
        room.id,
        me.role === null ? await setStanding(room, me, { ...me, role: 'member' }) : me,
      );
    });
    return result;
  }

  async leave(principal: Principal, ref: string, wait: boolean): Promise<Receipt> {
    const { receipt } = await this.change.run(principal, ref, wait, leaveRoom);
    return receipt!;
  }

  async add(principal: Principal, ref: string, { user, role }: NewMember): Promise<AddedMember> {
    const { result, receipt } = await this.change.run(principal, ref, true, async (room) => {
      room.require('add_member', { newRole: role });
      const before = await findUser(room, user);
      if (before.banned) refuse('user', 'is banned: take the ban back first');
      if (before.role !== null && before.role !== role)
        refuse('role', 'is a member with another role: PATCH changes it');
      await this.requireRoomForOwner(room, before, role);
      const after = await setStanding(room, before, { ...before, role });
      return { member: toMember(room.id, after), created: before.role === null };
    });
    return { ...result, receipt };
  }

  async patch(
    principal: Principal,
    ref: string,
    user: string,
    patch: MemberPatch,
    wait: boolean,
  ): Promise<ChangedMember> {
    const { result, receipt } = await this.change.run(principal, ref, wait, async (room) => {
      const before = await this.requireTarget(room, user, patch);
      await this.requireRoomForOwner(room, before, patch.role);
      return toMember(room.id, await setStanding(room, before, standingAfter(before, patch)));
    });
    return { member: result, receipt };
  }

  async remove(principal: Principal, ref: string, user: string, wait: boolean): Promise<Receipt> {
    const { receipt } = await this.change.run(principal, ref, wait, async (room) => {
      if (user === principal.userId) return leaveRoom(room);
      room.require('moderate_member');
      const before = await findUser(room, user);
      room.require('moderate_member', { member: targetFacts(before) });
      if (before.role === null) throw new DomainError('not_found', { detail: 'no such member' });
      await setStanding(room, before, { ...before, role: null });
    });
    return receipt!;
  }

  private async requireRoomForOwner(
    room: LockedRoom,
    before: MemberRow,
    role: Role | undefined,
  ): Promise<void> {
    if (role === 'owner' && before.role !== 'owner')
      await requireRoomForRoom(room.tx, before.user_id, this.config);
  }

  /** The right comes before the target: who may not moderate does not learn who is a member. */
  private async requireTarget(
    room: LockedRoom,
    user: string,
    patch: MemberPatch,
  ): Promise<MemberRow> {
    const moderates =
      patch.banned !== undefined || patch.muted_until !== undefined || patch.role === undefined;
    if (patch.role !== undefined) room.require('change_role');
    if (moderates) room.require('moderate_member');
    const before = await findUser(room, user);
    if (moderates) room.require('moderate_member', { member: targetFacts(before) });
    // Somebody who is no member can be banned (and the ban taken back), nothing else.
    if (
      before.role === null &&
      (patch.role !== undefined ||
        typeof patch.muted_until === 'string' ||
        patch.banned === undefined)
    ) {
      throw new DomainError('not_found', { detail: 'no such member' });
    }
    return before;
  }
}

async function leaveRoom(room: LockedRoom): Promise<void> {
  room.require('leave');
  const me = await findUser(room, room.principal.userId);
  // A tenant admin counts as owner without being a member.
  if (me.role === null) room.refuse('leave', { rule: 'leave.3_no_member', code: 'not_a_member' });
  await setStanding(room, me, { ...me, role: null });
}

/** A mute that is over is none. */
function standingAfter(before: MembershipState, patch: MemberPatch): MembershipState {
  const until =
    patch.muted_until === undefined
      ? before.muted_until
      : patch.muted_until === null
        ? null
        : new Date(patch.muted_until);
  const muted_until = until !== null && until.getTime() > wallMs() ? until : null;
  return { role: patch.role ?? before.role, muted_until, banned: patch.banned ?? before.banned };
}

function refuse(path: string, message: string): never {
  throw new DomainError('invalid_request', { errors: [{ path, message }] });
}
