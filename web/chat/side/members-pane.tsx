/** The members of a room: their presence, their roles, and a menu for each. */
import { useState } from 'preact/hooks';
import type { MemberView } from '@wardroom/client';
import { Button } from '../../kit/inputs/button.js';
import { ErrorLine } from '../../kit/inputs/error-line.js';
import { Menu } from '../../kit/inputs/menu.js';
import type { RoomPage } from '../../model/chat/room/room-page.js';
import { Avatar } from '../avatar.js';
import { useChat } from '../context.js';
import { confirm, dialog } from '../dialogs/dialog-state.js';
import { PersonPicker } from '../dialogs/person-picker.js';
import { ReceiptLine } from '../room/receipt-line.js';
import { clock } from '../times.js';

export function Members({ room }: { room: RoomPage }) {
  const chat = useChat();
  const t = chat.t.panes;
  const { roster } = room;
  const [isAdding, setAdding] = useState(false);
  const mayAdd = room.may('manage_members') && room.view.value?.visibility !== 'direct';
  const id = room.view.value?.id ?? room.id;
  const description = room.view.value?.description ?? null;
  return (
    <>
      {description === null ? null : (
        <p class="pane-form about" dir="auto">
          {description}
        </p>
      )}
      {mayAdd ? (
        <div class="pane-form">
          <div class="pair">
            <Button onClick={() => setAdding(!isAdding)}>{t.addPerson}</Button>
            <Button onClick={() => (dialog.value = { kind: 'invite', room: id })}>
              {chat.t.room.invite}
            </Button>
          </div>
          {isAdding ? (
            <PersonPicker
              label={t.personLabel}
              onPick={({ id: user }) => {
                setAdding(false);
                void roster.add(user);
              }}
            />
          ) : null}
        </div>
      ) : null}
      <div class="pane-list">
        <ErrorLine text={roster.error.value === null ? null : chat.why(roster.error.value)} />
        {roster.receipt.value === null ? null : <ReceiptLine receipt={roster.receipt.value} />}
        <ul class="members">
          {roster.sorted.value.map((member) => (
            <Member key={member.user_id} room={room} member={member} />
          ))}
        </ul>
      </div>
    </>
  );
}

function Member({ room, member }: { room: RoomPage; member: MemberView }) {
  const { t } = useChat();
  const { user_id: user, name, role, muted_until: muted } = member;
  const isHere = room.presence.value.present?.includes(user) === true;
  const isMuted = room.roster.isMuted(user);
  return (
    <li class="member">
      <Avatar name={name} />
      <span class="head-text">
        <span dir="auto">{name}</span>
        <small class="soft">
          {t.panes.role[role!]}
          {isHere ? ` · ● ${t.panes.present}` : ''}
          {isMuted ? ` · ▲ ${t.panes.mutedUntil(clock(muted!, t.locale))}` : ''}
        </small>
      </span>
      <MemberMenu room={room} member={member} />
    </li>
  );
}

function MemberMenu({ room, member }: { room: RoomPage; member: MemberView }) {
  const chat = useChat();
  const t = chat.t.panes;
  const { roster } = room;
  const { user_id: user, name, role } = member;
  if (user === chat.me.value?.user_id) return null;
  const roles = (['owner', 'moderator', 'member', 'viewer'] as const).filter(
    (each) => each !== role,
  );
  // A moderator has no say over owners and moderators.
  const mayManage =
    room.may('manage_room') ||
    (room.may('manage_members') && (role === 'member' || role === 'viewer'));
  const isDirect = room.view.value?.visibility === 'direct';
  if (isDirect) return null;
  const items = [
    { text: t.message, run: () => void chat.writeTo(user) },
    ...roles.map(
      (each) =>
        room.may('manage_room') && {
          text: t.makeRole(t.role[each]!),
          run: () => void roster.update(user, { role: each }),
        },
    ),
    mayManage && {
      text: roster.isMuted(user) ? t.unmute : t.mute,
      run: () => void roster.mute(user, !roster.isMuted(user)),
    },
    mayManage && {
      text: t.removeMember,
      bad: true,
      run: () =>
        confirm(`${t.removeMember}: ${name}`, t.removeMember, () => void roster.remove(user)),
    },
    mayManage && {
      text: t.ban,
      bad: true,
      run: () =>
        confirm(`${t.ban}: ${name}`, t.ban, () => void roster.update(user, { banned: true })),
    },
  ];
  return <Menu label={t.memberActions(name)} items={items} sign="⋯" />;
}
