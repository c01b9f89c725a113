/** Beside the messages: a thread, the members, what is pinned, or a search. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { PinnedMessage } from '@wardroom/client';
import { Button } from '../../kit/inputs/button.js';
import { Check } from '../../kit/inputs/check.js';
import { Field } from '../../kit/inputs/field.js';
import type { Pane } from '../../model/chat/chat.js';
import { textOf } from '../../model/chat/layout.js';
import type { RoomPage } from '../../model/chat/room/room-page.js';
import { Avatar } from '../avatar.js';
import { ComposerBox } from '../room/composer-box.js';
import { useChat } from '../context.js';
import { Members } from './members-pane.js';
import { Content, Fate } from '../room/message-row.js';
import { MessageText } from '../room/message-text.js';
import { clock, exact, shortly } from '../times.js';

/** There is place for it beside the messages. */
const isBeside = (): boolean => matchMedia('(min-width: 1024px)').matches;

export function SidePane({ room }: { room: RoomPage }) {
  const chat = useChat();
  const { t } = chat;
  const pane = chat.pane.value!;
  const titles: Record<NonNullable<Pane>, string> = {
    thread: t.panes.thread,
    members: t.room.members,
    pins: t.room.pins,
    search: t.room.search,
  };
  const close = () => {
    chat.pane.value = null;
    room.closeThread();
  };
  return (
    <section
      class="pane-side"
      aria-label={titles[pane]}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !event.defaultPrevented) close();
      }}
    >
      <header class="head">
        <h2 class="head-text">{titles[pane]}</h2>
        <Button look="quiet" label={t.close} title={t.close} onClick={close} sign="×" />
      </header>
      {pane === 'thread' ? <ThreadPane room={room} /> : null}
      {pane === 'members' ? <Members room={room} /> : null}
      {pane === 'pins' ? <Pins room={room} /> : null}
      {pane === 'search' ? <Search room={room} /> : null}
    </section>
  );
}

function ThreadPane({ room }: { room: RoomPage }) {
  const chat = useChat();
  const { t } = chat;
  const list = useRef<HTMLDivElement>(null);
  const thread = room.thread.value;
  const messages = thread?.snapshot.value.messages ?? [];
  const last = messages.at(-1);
  // Where it is opened, and with each reply of one's own.
  const key = last?.mine === true ? last.key : messages.length > 0;
  useLayoutEffect(() => list.current?.scrollTo(0, list.current.scrollHeight), [thread, key]);
  if (thread === null) return null;
  const root = thread.root.value;
  return (
    <>
      <div
        ref={list}
        class="pane-list"
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={t.panes.thread}
      >
        {root === null ? (
          <p class="blank small">{t.loading}</p>
        ) : (
          <Line sender={root.sender} at={root.at}>
            {root.text === null ? (
              <p class="soft">{t.message.deleted}</p>
            ) : (
              <MessageText text={root.text} />
            )}
          </Line>
        )}
        <hr />
        {messages.length === 0 && thread.snapshot.value.state === 'ready' ? (
          <p class="blank small">{t.panes.noReplies}</p>
        ) : null}
        {messages.map((message) => (
          <Line key={message.key} sender={message.sender} at={message.at}>
            <Content message={message} />
            <Fate room={thread} message={message} />
          </Line>
        ))}
      </div>
      <ComposerBox
        key={thread.id}
        composer={thread.composer}
        label={t.message.reply}
        lock={room.lock.value}
      />
    </>
  );
}

function Line(props: { sender: string | undefined; at: string; children: ComponentChildren }) {
  const { names, t } = useChat();
  const name = names.of(props.sender);
  return (
    <div class="line">
      <Avatar name={name} />
      <div class="msg-body">
        <p class="by">
          <strong dir="auto">{name}</strong>{' '}
          <time dateTime={props.at} title={exact(props.at, t.locale)}>
            {[...new Set([shortly(props.at, t.locale), clock(props.at, t.locale)])].join(', ')}
          </time>
        </p>
        {props.children}
      </div>
    </div>
  );
}

function Pins({ room }: { room: RoomPage }) {
  const chat = useChat();
  const t = chat.t.panes;
  const [items, setItems] = useState<readonly PinnedMessage[] | null>(null);
  useEffect(() => {
    void chat.client.api.messages.pins(room.id).then(
      (page) => setItems(page.items),
      () => setItems([]),
    );
  }, [room, room.pinned.value]);
  return (
    <div class="pane-list">
      {items === null ? <p class="blank small">{chat.t.loading}</p> : null}
      {items?.length === 0 ? <p class="blank small">{t.noPins}</p> : null}
      {items?.map(({ message }) => (
        <Line key={message.message_id} sender={message.sender} at={message.at}>
          <MessageText text={message.body === null ? '' : textOf(message.body)} />
          <Button
            look="quiet"
            onClick={() => {
              chat.enter(room.id, message.seq);
              if (!isBeside()) chat.pane.value = null;
            }}
          >
            {t.open}
          </Button>
          {room.mayPin ? (
            <Button
              look="quiet"
              onClick={() =>
                chat.attempt(() => chat.client.api.messages.unpin(room.id, message.message_id))
              }
            >
              {chat.t.message.unpin}
            </Button>
          ) : null}
        </Line>
      ))}
    </div>
  );
}

function Search({ room }: { room: RoomPage }) {
  const chat = useChat();
  const t = chat.t.panes;
  const { search } = chat;
  const hits = search.hits.value;
  const here = room.view.value?.id ?? room.id;
  const run = async (more = false) => {
    await search.run(more);
    chat.announcements.say('found', search.hits.value?.length ?? 0);
  };
  return (
    <>
      <form
        class="pane-form"
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        <Field
          label={t.searchLabel}
          type="search"
          value={search.query.value}
          onInput={(value) => (search.query.value = value)}
          error={search.refused.value === null ? null : chat.why(search.refused.value)}
        />
        <Check
          label={t.searchHere}
          checked={search.room.value === here}
          onChange={(isHere) => {
            search.room.value = isHere ? here : null;
            if (search.hits.value !== null) void run();
          }}
        />
        <button type="submit" class="button accent" aria-disabled={search.isBusy.value}>
          {chat.t.room.search}
        </button>
      </form>
      <div class="pane-list">
        {hits === null ? <p class="blank small">{t.searchHint}</p> : null}
        {hits?.length === 0 ? <p class="blank small">{t.noneFound}</p> : null}
        {hits?.map((hit) => (
          <a
            key={hit.id}
            class="hit"
            href={chat.linkTo(hit.room, hit.seq)}
            onClick={(event) => {
              event.preventDefault();
              const { value } = chat.pane;
              chat.enter(hit.room, hit.seq);
              // Beside the messages it stays open; before them it would hide what was found.
              chat.pane.value = isBeside() ? value : null;
            }}
          >
            <span class="by">
              <strong>{chat.names.of(hit.sender)}</strong>{' '}
              {hit.room === here ? '' : `# ${chat.mine(hit.room)?.room.name ?? ''}`}{' '}
              <time title={exact(hit.at, chat.t.locale)}>{shortly(hit.at, chat.t.locale)}</time>
            </span>
            <span dir="auto">
              {hit.parts.map(({ text, isFound }, i) =>
                isFound ? <mark key={i}>{text}</mark> : <span key={i}>{text}</span>,
              )}
            </span>
          </a>
        ))}
        {search.hasMore.value ? (
          <Button look="quiet" onClick={() => void run(true)}>
            {chat.t.more}
          </Button>
        ) : null}
      </div>
    </>
  );
}
