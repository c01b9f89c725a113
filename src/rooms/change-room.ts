/**
 * Settings and deletion of a room. A change that takes rights moves the room's epoch and is logged.
 */
import { Injectable } from '@nestjs/common';
import { recordAudit } from '../audit/record-audit.js';
import { uniqueOr } from '../platform/stores/database.js';
import { Prisma } from '../platform/generated/client.js';
import type { Principal } from '../sessions/principal.js';
import { RoomTransaction } from './room-transaction.js';
import type { LockedRoom } from './locked-room.js';
import { roomRows, toRoom } from './room-query.js';
import type { RoomRow } from './room-query.js';
import type { ChangedRoom, RoomPatch } from './room.schema.js';
import type { Receipt } from '../authority/receipt.schema.js';

type Settings = Pick<
  RoomRow,
  'name' | 'slug' | 'visibility' | 'posting' | 'topic' | 'description' | 'archived' | 'kinds'
>;

@Injectable()
export class ChangeRoom {
  constructor(private readonly change: RoomTransaction) {}

  async patch(
    principal: Principal,
    ref: string,
    patch: RoomPatch,
    wait: boolean,
  ): Promise<ChangedRoom> {
    const { result, receipt } = await uniqueOr('slug_taken', () =>
      this.change.run(principal, ref, wait, (room) => applyPatch(room, patch)),
    );
    return { room: toRoom(result, principal.userId), receipt };
  }

  async remove(principal: Principal, ref: string, wait: boolean): Promise<Receipt> {
    const { receipt } = await this.change.run(principal, ref, wait, closeRoom);
    return receipt!;
  }
}

async function applyPatch(room: LockedRoom, patch: RoomPatch): Promise<RoomRow> {
  room.require('manage_room');
  const before = room.row;
  const after: Settings = {
    name: patch.name ?? before.name,
    slug: patch.slug === undefined ? before.slug : patch.slug,
    visibility: patch.visibility ?? before.visibility,
    posting: patch.posting ?? before.posting,
    topic: patch.topic === undefined ? before.topic : patch.topic,
    description: patch.description === undefined ? before.description : patch.description,
    archived: patch.archived ?? before.archived,
    kinds: patch.kinds ?? before.kinds,
  };
  const shrinks = shrinksRights(before, after);
  const matters =
    shrinks ||
    before.slug !== after.slug ||
    before.visibility !== after.visibility ||
    before.posting !== after.posting ||
    before.archived !== after.archived ||
    kindsDiffer(before, after);
  const version = before.version + (matters ? 1 : 0);
  await room.tx.$executeRaw`
    UPDATE rooms SET name = ${after.name}, slug = ${after.slug}, visibility = ${after.visibility}, posting = ${after.posting},
      topic = ${after.topic}, description = ${after.description}, archived = ${after.archived}, kinds = ${JSON.stringify(after.kinds)}::jsonb, version = ${version}
    WHERE id = ${room.id}::uuid`;
  auditSettings(room, before, after);
  if (matters) await recordChange(room, 'open', after, version, shrinks);
  else if (isShownOtherwise(before, after)) await recordShown(room, after, version);
  return (
    await roomRows(room.tx, room.principal.userId, Prisma.sql`r.id = ${room.id}::uuid`, 'counted')
  )[0]!;
}

async function closeRoom(room: LockedRoom): Promise<void> {
  room.require('manage_room');
  const version = room.row.version + 1;
  await room.tx
    .$executeRaw`UPDATE rooms SET state = 'closed', version = ${version} WHERE id = ${room.id}::uuid`;
  await room.tx.$executeRaw`DELETE FROM invites WHERE room_id = ${room.id}::uuid`;
  recordAudit(room.tx, { event: 'room_deleted', detail: { room: room.id } });
  await recordChange(room, 'closed', room.row, version, true);
}

/**
 * One record of what differs. Name, topic and description of a room are its members' business: only
 * that they changed.
 */
function auditSettings(room: LockedRoom, before: Settings, after: Settings): void {
  const changed = (['visibility', 'posting', 'slug', 'archived'] as const).filter(
    (field) => before[field] !== after[field],
  );
  const renamed = before.name === after.name ? {} : { name: true };
  const described =
    before.topic === after.topic && before.description === after.description
      ? {}
      : { description: true };
  const kinds = kindsDiffer(before, after)
    ? { kinds: { from: before.kinds, to: after.kinds } }
    : {};
  const detail = {
    room: room.id,
    ...renamed,
    ...described,
    ...kinds,
    ...Object.fromEntries(
      changed.map((field) => [field, { from: before[field], to: after[field] }]),
    ),
  };
  if (Object.keys(detail).length > 1) recordAudit(room.tx, { event: 'room_updated', detail });
}

async function recordChange(
  room: LockedRoom,
  state: 'open' | 'closed',
  { visibility, posting }: Settings,
  version: number,
  shrinks: boolean,
): Promise<void> {
  const epoch = await room.epoch(shrinks);
  room.note(shrinks, {
    kind: 'room.changed',
    room: room.id,
    state,
    visibility,
    posting,
    version,
    epoch,
  });
}

const isShownOtherwise = (before: Settings, after: Settings): boolean =>
  before.name !== after.name ||
  before.topic !== after.topic ||
  before.description !== after.description;

/** For those who list the room; no decision depends on it. */
async function recordShown(
  room: LockedRoom,
  { visibility, posting }: Settings,
  version: number,
): Promise<void> {
  room.note(false, {
    kind: 'room.changed',
    room: room.id,
    state: 'open',
    visibility,
    posting,
    version,
    epoch: await room.epoch(false),
    onlyShown: true,
  });
}

/**
 * A slug that is given up counts: another room may take it, and no node may then still find this
 * one by it.
 */
export function shrinksRights(before: Settings, after: Settings): boolean {
  return (
    (before.visibility === 'public' && after.visibility !== 'public') ||
    (before.posting === 'members' && after.posting === 'moderators') ||
    (!before.archived && after.archived) ||
    kindsDiffer(before, after) ||
    (before.slug !== null && before.slug !== after.slug)
  );
}

/** Any other rules take a kind from somebody, or may: they count as a loss. */
function kindsDiffer(before: Pick<Settings, 'kinds'>, after: Pick<Settings, 'kinds'>): boolean {
  const text = ({ kinds }: Pick<Settings, 'kinds'>) =>
    JSON.stringify(Object.entries(kinds).sort(([a], [b]) => (a < b ? -1 : 1)));
  return text(before) !== text(after);
}
