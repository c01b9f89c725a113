/** Rooms of a tenant for its admin: members, roles, mutes, bans, and a look at what was written. */
import { signal } from '@preact/signals';
import type { HistoryMessage, MemberView, RoomView } from '@wardroom/client';
import { NOT_UNDONE } from '../deed.js';
import type { Deed } from '../deed.js';
import { get, send } from '../rest.js';
import type { Caller } from '../rest.js';
import { inSentence, plain, troubleOf } from '../words.js';
import type { Trouble } from '../words.js';

export type { HistoryMessage, MemberView, RoomView };

const PEEK = 50;

export class RoomDetail {
  readonly room = signal<RoomView | null>(null);
  readonly members = signal<readonly MemberView[]>([]);
  /** Null: nobody has asked to see it. */
  readonly messages = signal<readonly HistoryMessage[] | null>(null);
  readonly trouble = signal<Trouble | null>(null);

  constructor(
    private readonly caller: Caller,
    readonly id: string,
  ) {}

  async load(): Promise<void> {
    this.trouble.value = null;
    try {
      const path = `/v1/rooms/${encodeURIComponent(this.id)}`;
      const [room, { items }] = await Promise.all([
        send<RoomView>(this.caller, get(path)),
        send<{ items: MemberView[] }>(this.caller, get(`${path}/members`, { limit: 200 })),
      ]);
      this.room.value = room;
      this.members.value = items;
    } catch (error) {
      this.trouble.value = troubleOf(error);
    }
  }

  /** Only on demand: messages are their writers'. */
  async peek(): Promise<void> {
    try {
      const { seq = 0 } = this.room.value ?? {};
      const { items } = await send<{ items: HistoryMessage[] }>(
        this.caller,
        get(`/v1/rooms/${encodeURIComponent(this.id)}/messages`, { before: seq + 1, limit: PEEK }),
      );
      this.messages.value = items;
    } catch (error) {
      this.trouble.value = troubleOf(error);
    }
  }
}

/** The words of a message, or its body as it is. */
export function bodyText(body: unknown): string {
  if (typeof body === 'object' && body !== null && 'text' in body && typeof body.text === 'string')
    return body.text;
  return plain(body);
}

const MINUTE = 60_000;

function change(
  member: MemberView,
  body: Record<string, string | boolean | null>,
  label: string,
): Deed['asks'] {
  return () => [
    {
      method: 'PATCH',
      path: `/v1/rooms/${member.room_id}/members/${member.user_id}`,
      body,
      receipt: true,
      label,
    },
  ];
}

const gentle = { reason: 'none', destructive: false, undo: null, cli: () => [] } as const;
const harsh = { reason: 'none', destructive: true, cli: () => [] } as const;

export const mute = (member: MemberView, minutes: number, nowMs: number): Deed => ({
  ...harsh,
  title: `Mute ${inSentence(member.name)} for ${minutes} min`,
  effects: ['They read on and may not write, from the receipt on, on every connection.'],
  undo: 'It can be taken back at any time.',
  button: 'Mute',
  asks: change(
    member,
    { muted_until: new Date(nowMs + minutes * MINUTE).toISOString() },
    `mute ${inSentence(member.name)}`,
  ),
});

export const unmute = (member: MemberView): Deed => ({
  ...gentle,
  title: `Let ${inSentence(member.name)} write again`,
  effects: ['The mute ends now.'],
  button: 'End the mute',
  asks: change(member, { muted_until: null }, `end the mute of ${inSentence(member.name)}`),
});

export const ban = (member: MemberView): Deed => ({
  ...harsh,
  title: `Ban ${inSentence(member.name)}`,
  effects: ['They lose the room on every connection, and cannot come back by themselves.'],
  undo: 'The ban can be lifted; their role does not come back.',
  button: 'Ban',
  asks: change(member, { banned: true }, `ban ${inSentence(member.name)}`),
});

export const unban = (member: MemberView): Deed => ({
  ...gentle,
  title: `Lift the ban of ${inSentence(member.name)}`,
  effects: ['They may join or be added again.'],
  button: 'Lift the ban',
  asks: change(member, { banned: false }, `lift the ban of ${inSentence(member.name)}`),
});

export const setRole = (member: MemberView, role: NonNullable<MemberView['role']>): Deed => ({
  ...gentle,
  title: `Make ${inSentence(member.name)} ${role}`,
  effects: [`From ${member.role ?? 'no role'} to ${role}, in living connections, too.`],
  button: `Make ${role}`,
  asks: change(member, { role }, `make ${inSentence(member.name)} ${role}`),
});

export const removeMember = (member: MemberView): Deed => ({
  ...harsh,
  title: `Remove ${inSentence(member.name)}`,
  effects: ['They get nothing of the room from the receipt on.'],
  undo: 'They can be added again.',
  button: 'Remove',
  asks: () => [
    {
      method: 'DELETE',
      path: `/v1/rooms/${member.room_id}/members/${member.user_id}`,
      receipt: true,
      label: `remove ${inSentence(member.name)}`,
    },
  ],
});

export const archive = ({ id, name, archived }: RoomView): Deed => ({
  ...(archived ? gentle : harsh),
  title: archived ? `Open ${inSentence(name)} again` : `Archive ${inSentence(name)}`,
  effects: [archived ? 'Members write again.' : 'Everybody reads it as before, and nobody writes.'],
  undo: archived ? null : 'It can be opened again.',
  button: archived ? 'Open again' : 'Archive',
  asks: () => [
    {
      method: 'PATCH',
      path: `/v1/rooms/${id}`,
      body: { archived: !archived },
      receipt: true,
      label: `${archived ? 'open' : 'archive'} ${inSentence(name)}`,
    },
  ],
});

export const deleteRoom = ({ id, name }: RoomView): Deed => ({
  ...harsh,
  title: `Delete ${inSentence(name)}`,
  effects: ['Everybody loses the room on every connection, from the receipt on.'],
  undo: NOT_UNDONE,
  button: 'Delete the room',
  asks: () => [
    {
      method: 'DELETE',
      path: `/v1/rooms/${id}`,
      receipt: true,
      label: `delete ${inSentence(name)}`,
    },
  ],
});
