/** The open room: its head, what is the matter, its messages, and the line that is written. */
import type { ComponentChildren } from 'preact';
import { Banner } from '../../kit/said/banner.js';
import { Button } from '../../kit/inputs/button.js';
import { Menu } from '../../kit/inputs/menu.js';
import type { Pane } from '../../model/chat/chat.js';
import { readOnlyText } from '../../model/chat/room/lock.js';
import type { RoomPage } from '../../model/chat/room/room-page.js';
import { ComposerBox } from './composer-box.js';
import { ConnectionBanner } from './connection-banner.js';
import { useChat } from '../context.js';
import { dialog } from '../dialogs/dialog-state.js';
import { MessageList } from './message-list.js';

export function RoomView({ room }: { room: RoomPage }) {
  const chat = useChat();
  const { t } = chat;
  const typing = room.presence.value.typing.map((id) => chat.names.of(id));
  return (
    <>
      <RoomHead room={room} />
      <ConnectionBanner />
      <RoomBanner room={room} />
      <MessageList room={room} />
      <p class="typing" aria-hidden={typing.length === 0}>
        {typing.length === 0 ? '' : t.room.typing(typing)}
      </p>
      <ComposerBox
        key={room.id}
        composer={room.composer}
        label={t.composer.label(room.name)}
        lock={room.lock.value}
      />
    </>
  );
}

function RoomHead({ room }: { room: RoomPage }) {
  const chat = useChat();
  const t = chat.t.room;
  const { count } = room.presence.value;
  const isOver = room.lock.value === 'signed_out' || room.lock.value === 'stopped';
  const pins = room.pinned.value.size === 0 ? '' : room.pinned.value.size;
  const topic = room.view.value?.topic ?? null;
  return (
    <header class="head">
      <div class="only-narrow">
        <Button look="quiet" label={chat.t.back} onClick={() => chat.enter(null)}>
          <span class="turns" aria-hidden="true">
            ‹
          </span>
        </Button>
      </div>
      <div class="head-text">
        <p class="title" dir="auto" aria-hidden="true">
          {room.name === '' ? chat.t.loading : room.name}
        </p>
        {topic === null ? null : (
          <p class="soft" dir="auto" title={topic}>
            {topic}
          </p>
        )}
      </div>
      {isOver ? null : (
        <>
          <PaneButton
            pane="members"
            label={count === undefined ? t.members : `${t.here(count)}: ${t.members}`}
          >
            {count === undefined ? t.members : t.here(count)}
          </PaneButton>
          <div class="only-wide">
            <PaneButton pane="pins" label={`${pins} ${t.pins}`.trim()}>
              <span aria-hidden="true">⚑</span> {pins}
            </PaneButton>
            <PaneButton pane="search" label={t.search}>
              <span aria-hidden="true">⌕</span>
            </PaneButton>
          </div>
          <RoomMenu room={room} />
        </>
      )}
    </header>
  );
}

function PaneButton(props: {
  pane: NonNullable<Pane>;
  label: string;
  children: ComponentChildren;
}) {
  const chat = useChat();
  const { pane, label, children } = props;
  const isOpen = chat.pane.value === pane;
  return (
    <Button
      look="quiet"
      label={label}
      title={label}
      pressed={isOpen}
      onClick={() => (chat.pane.value = isOpen ? null : pane)}
    >
      {children}
    </Button>
  );
}

function RoomMenu({ room }: { room: RoomPage }) {
  const chat = useChat();
  const t = chat.t.room;
  const { row } = room;
  const id = row?.room.id ?? room.id;
  const { rooms } = chat.client.api;
  const set = (fields: Parameters<typeof rooms.setMine>[1]) =>
    chat.attempt(() => rooms.setMine(id, fields).then(() => chat.list.refresh()));
  const isDirect = room.view.value?.visibility === 'direct';
  const notify = (
    [
      ['all', t.notifyAll],
      ['mentions', t.notifyMentions],
      ['none', t.notifyNone],
    ] as const
  ).map(
    ([value, text]) =>
      row !== undefined && {
        text: `${t.notify}: ${text}${row.notify === value ? ' ✓' : ''}`,
        run: () => set({ notify: value }),
      },
  );
  const items = [
    { text: t.search, run: () => (chat.pane.value = 'search') },
    { text: t.pins, run: () => (chat.pane.value = 'pins') },
    row !== undefined && {
      text: row.favourite ? t.unfavourite : t.favourite,
      run: () => set({ favourite: !row.favourite }),
    },
    ...notify,
    room.may('manage_members') &&
      !isDirect && { text: t.invite, run: () => (dialog.value = { kind: 'invite', room: id }) },
    room.may('manage_room') &&
      !isDirect && { text: t.settings, run: () => (dialog.value = { kind: 'room', room }) },
    row?.peer === null && {
      text: t.leave,
      bad: true,
      run: () =>
        chat.attempt(async () => {
          await rooms.leave(id);
          chat.enter(null);
          await chat.list.refresh();
          chat.tell(t.left);
        }),
    },
  ];
  return <Menu label={t.menu} items={items} sign="⋯" />;
}

/** Read-only here, and why; or not in the room at all. */
function RoomBanner({ room }: { room: RoomPage }) {
  const chat = useChat();
  const t = chat.t.banner;
  const lock = room.lock.value;
  if (lock === 'ended')
    return <Banner tone="bad" title={`${t.ended.title}.`} text={t.ended.text} />;
  const text = readOnlyText(lock, t);
  if (text === undefined) return null;
  return (
    <Banner tone="plain" title={`${t.readOnly}.`} text={text}>
      {lock === 'not_member' ? (
        <Button
          look="accent"
          onClick={() => chat.attempt(() => room.join().then(() => chat.list.refresh()))}
        >
          {t.join}
        </Button>
      ) : null}
    </Banner>
  );
}
