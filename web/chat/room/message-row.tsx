/** One message: its author and time, its text, reactions and replies, and its menu. */
import { Button } from '../../kit/inputs/button.js';
import { Menu } from '../../kit/inputs/menu.js';
import { EVERYBODY } from '../../model/chat/room/mentions.js';
import { type Message, type Row, textOf } from '../../model/chat/layout.js';
import type { RoomPage } from '../../model/chat/room/room-page.js';
import { Avatar } from '../avatar.js';
import { useChat } from '../context.js';
import { confirm } from '../dialogs/dialog-state.js';
import { plainText } from '../../model/chat/room/markdown.js';
import { MessageText } from './message-text.js';
import { clock, exact } from '../times.js';

const EMOJI = ['👍', '❤️', '😂', '🎉', '👀', '✅', '🙏', '😢'];

interface Props {
  room: RoomPage;
  row: Row & { kind: 'message' };
  isStop: boolean;
}

export function MessageRow({ room, row, isStop }: Props) {
  const chat = useChat();
  const { t } = chat;
  const { message, isContinued } = row;
  const name = message.mine ? (chat.me.value?.name ?? t.you) : chat.names.of(message.sender);
  const forMe =
    message.mentions === 'room' ||
    message.mentions?.includes(chat.me.value?.user_id ?? '') === true;
  const isPinned = message.id !== undefined && room.pinned.value.has(message.id);
  return (
    <article
      class={`msg${isContinued ? ' continued' : ''}${forMe && !message.mine ? ' for-me' : ''} ${message.state}`}
      data-key={row.key}
      data-seq={message.seq}
      tabIndex={isStop ? 0 : -1}
      aria-label={`${name}, ${clock(message.at, t.locale)}`}
    >
      <div class="gutter">
        {isContinued ? (
          <time title={exact(message.at, t.locale)}>{clock(message.at, t.locale)}</time>
        ) : (
          <Avatar name={name} />
        )}
      </div>
      <div class="msg-body">
        {isContinued ? null : (
          <p class="by">
            <strong dir="auto">{name}</strong>{' '}
            <time dateTime={message.at} title={exact(message.at, t.locale)}>
              {clock(message.at, t.locale)}
            </time>
            {isPinned ? <small class="soft"> ⚑ {t.message.pinned}</small> : null}
          </p>
        )}
        <Answered room={room} message={message} />
        <Content message={message} />
        <Fate room={room} message={message} />
        <Reactions room={room} row={row} />
      </div>
      {message.state === 'stored' && message.deletedAt === null ? (
        <Actions room={room} message={message} isPinned={isPinned} />
      ) : null}
    </article>
  );
}

/** The message that this one answers, as one line that leads to it. */
function Answered({ room, message }: { room: RoomPage; message: Message }) {
  const chat = useChat();
  const { replyTo } = message;
  if (replyTo === null) return null;
  const root = room.snapshot.value.messages.find(({ id }) => id === replyTo);
  const t = chat.t.message;
  const text =
    root === undefined
      ? t.goneRoot
      : root.body === null
        ? t.deleted
        : plainText(textOf(root.body).slice(0, 400));
  const name = root === undefined ? '' : chat.names.of(root.sender);
  return (
    <button
      type="button"
      class="answered"
      tabIndex={-1}
      onClick={() => {
        if (root?.seq !== undefined) room.show(root.seq);
        else chat.openThread(room, replyTo);
      }}
    >
      <span aria-hidden="true">↳ </span>
      {name === '' ? '' : `${name}: `}
      {text.slice(0, 200)}
    </button>
  );
}

export function Content({ message }: { message: Message }) {
  const { t, names } = useChat();
  if (message.deletedAt !== null || message.body === null)
    return <p class="soft">{t.message.deleted}</p>;
  const { mentions } = message;
  const known = mentions === 'room' ? [EVERYBODY] : (mentions ?? []).map((user) => names.of(user));
  return (
    <>
      <MessageText
        text={textOf(message.body)}
        names={[...known].sort((a, b) => b.length - a.length).join('\n')}
      />
      {message.editedAt === null ? null : (
        <small class="soft" title={exact(message.editedAt, t.locale)}>
          ({t.message.edited})
        </small>
      )}
    </>
  );
}

/** One's own message that is not stored yet, or was not. */
export function Fate({ room, message }: { room: Pick<RoomPage, 'timeline'>; message: Message }) {
  const chat = useChat();
  const t = chat.t.message;
  if (message.state === 'sending')
    return (
      <p class="fate">
        <span aria-hidden="true">◌ </span>
        {chat.isLive.value ? t.sending : t.waiting}
      </p>
    );
  if (message.state !== 'failed') return null;
  return (
    <p class="fate bad" role="alert">
      <span aria-hidden="true">■ </span>
      {t.failed}: {chat.why(message.error?.code ?? 'network')}
      <Button look="quiet" tabIndex={-1} onClick={() => room.timeline.retry(message.key)}>
        {t.retry}
      </Button>
      <Button look="quiet" tabIndex={-1} onClick={() => room.timeline.discard(message.key)}>
        {t.discard}
      </Button>
    </p>
  );
}

function Reactions({ room, row }: { room: RoomPage; row: Row & { kind: 'message' } }) {
  const chat = useChat();
  const t = chat.t.message;
  const { message, replies } = row;
  if (message.reactions.length === 0 && replies === 0) return null;
  return (
    <p class="reactions">
      {message.reactions.map(({ emoji, count, mine, users }) => {
        const names = users.map((user) => chat.names.of(user)).join(', ');
        return (
          <button
            key={emoji}
            type="button"
            class={mine ? 'reaction mine' : 'reaction'}
            tabIndex={-1}
            aria-pressed={mine}
            disabled={!room.may('react')}
            title={t.reactions(emoji, names)}
            onClick={() => room.react(message, emoji)}
          >
            {emoji} {count}
          </button>
        );
      })}
      {replies === 0 ? null : (
        <button
          type="button"
          class="reaction"
          tabIndex={-1}
          onClick={() => chat.openThread(room, message)}
        >
          ↳ {t.replies(replies)}
        </button>
      )}
    </p>
  );
}

function Actions(props: { room: RoomPage; message: Message; isPinned: boolean }) {
  const chat = useChat();
  const { room, message, isPinned } = props;
  const t = chat.t.message;
  const mayWrite = room.lock.value === 'open';
  const items = [
    mayWrite && { text: t.reply, run: () => room.composer.reply(message) },
    { text: t.thread, run: () => chat.openThread(room, message) },
    mayWrite &&
      message.mine &&
      room.may('edit_own') && { text: t.edit, run: () => room.composer.edit(message) },
    room.mayPin && {
      text: isPinned ? t.unpin : t.pin,
      run: () => room.pin(message, !isPinned),
    },
    {
      text: t.link,
      run: () => {
        const link = new URL(chat.linkTo(room.id, message.seq), location.href).href;
        void navigator.clipboard.writeText(link).then(() => chat.tell(chat.t.copied));
      },
    },
    ((message.mine && room.may('delete_own')) || room.may('delete_any')) && {
      text: t.remove,
      bad: true,
      run: () => confirm(t.confirmRemove, t.remove, () => room.remove(message)),
    },
  ];
  return (
    <div class="actions">
      {room.may('react') && mayWrite ? (
        <Menu
          label={t.react}
          isRow
          tabIndex={-1}
          items={EMOJI.map((text) => ({ text, run: () => room.react(message, text) }))}
          sign="☺"
        />
      ) : null}
      {mayWrite ? (
        <Button
          look="quiet"
          tabIndex={-1}
          label={t.reply}
          title={t.reply}
          onClick={() => room.composer.reply(message)}
          sign="↩"
        />
      ) : null}
      <Menu label={t.actions} tabIndex={-1} items={items} sign="⋯" />
    </div>
  );
}
