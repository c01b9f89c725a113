/** The list of rooms: one tab stop, arrows move in it. */
import { useRef } from 'preact/hooks';
import { Button } from '../../kit/inputs/button.js';
import { Menu } from '../../kit/inputs/menu.js';
import { moveFocus } from '../../kit/roving.js';
import type { SidebarRow } from '../../model/chat/sidebar.js';
import { Avatar } from '../avatar.js';
import { useChat } from '../context.js';
import { dialog } from '../dialogs/dialog-state.js';
import { shortly } from '../times.js';

export function SideList() {
  const chat = useChat();
  const t = chat.t.sidebar;
  const { favourites, rooms, direct } = chat.sidebar.value;
  const { loading, hasMore, error } = chat.rooms.value;
  const list = useRef<HTMLDivElement>(null);
  const isEmpty = favourites.length + rooms.length + direct.length === 0;
  const all = [...favourites, ...rooms, ...direct];
  const stop = all.find(({ id }) => chat.open.value?.is(id)) ?? all[0];
  const groups: [string, readonly SidebarRow[]][] = [
    [t.favourites, favourites],
    [t.rooms, rooms],
    [t.direct, direct],
  ];
  return (
    <nav class="side" aria-label={t.label}>
      <header class="side-top">
        <button class="finder" type="button" onClick={() => (dialog.value = { kind: 'find' })}>
          <span>{t.find}</span>
          <kbd>{t.findKeys}</kbd>
        </button>
      </header>
      <div class="side-rooms" ref={list} onKeyDown={(event) => void moveFocus(event, 'a.row')}>
        {groups.map(([title, rows]) =>
          rows.length === 0 ? null : (
            <section key={title} aria-label={title}>
              <h2>{title}</h2>
              <ul>
                {rows.map((row) => (
                  <li key={row.id}>
                    <Row row={row} isStop={row === stop} />
                  </li>
                ))}
              </ul>
            </section>
          ),
        )}
        {isEmpty && !loading && error === undefined ? <p class="blank">{t.empty}</p> : null}
        {isEmpty && loading ? <p class="blank">{chat.t.loading}</p> : null}
        {error === undefined || !isEmpty ? null : <p class="blank">{chat.t.noAnswer}</p>}
        {hasMore ? (
          <Button look="quiet" onClick={() => void chat.list.loadMore()}>
            {t.loadMore}
          </Button>
        ) : null}
      </div>
      <footer class="side-foot" hidden={chat.session.state.value !== 'signed_in'}>
        <div class="side-new">
          <Button onClick={() => (dialog.value = { kind: 'browse' })}>{t.browse}</Button>
          {chat.me.value?.role === 'guest' ? null : (
            <Button onClick={() => (dialog.value = { kind: 'create' })}>{t.create}</Button>
          )}
        </div>
        <Person />
      </footer>
    </nav>
  );
}

function Person() {
  const chat = useChat();
  const t = chat.t.sidebar;
  const { name, status, tenant, role } = chat.me.value!;
  const shown = name ?? (role === 'guest' ? t.guest : chat.t.you);
  return (
    <div class="me">
      <Avatar name={shown} />
      <div class="me-text">
        <strong>{shown}</strong>
        <small>{status ?? tenant.name}</small>
      </div>
      <Menu
        label={t.menu}
        up
        items={[
          { text: t.settings, run: () => (dialog.value = { kind: 'settings' }) },
          { text: t.signOut, run: () => void chat.signOut() },
        ]}
        sign="⋯"
      />
    </div>
  );
}

const SIGNS = { room: '#', private: '◆', direct: '' } as const;

function Row({ row, isStop }: { row: SidebarRow; isStop: boolean }) {
  const chat = useChat();
  const t = chat.t.sidebar;
  const { id, name, kind, unread, mentions, isQuiet, preview, hasDraft, isHere } = row;
  const isOpen = chat.open.value?.is(id) === true;
  const isBold = unread > 0 && !isQuiet;
  return (
    <a
      class={`row${isOpen ? ' open' : ''}${isBold ? ' bold' : ''}`}
      href={chat.linkTo(id)}
      tabIndex={isStop ? 0 : -1}
      aria-current={isOpen ? 'page' : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        chat.enter(id);
      }}
    >
      {kind === 'direct' ? (
        <span class="peer" title={isHere ? chat.t.panes.present : undefined}>
          <Avatar name={name} />
          {isHere ? <span class="unseen">{chat.t.panes.present}</span> : null}
        </span>
      ) : (
        <span class="sign" aria-hidden="true">
          {SIGNS[kind]}
        </span>
      )}
      <span class="row-text">
        <span class="row-name">{name}</span>
        <span class="row-last">
          {hasDraft ? <span class="draft">✎ {t.draft} </span> : null}
          {preview === null ? '' : `${chat.names.of(preview.sender)}: ${preview.text ?? t.deleted}`}
        </span>
      </span>
      <span class="row-side">
        <time>{preview === null ? '' : shortly(preview.at, chat.t.locale)}</time>
        {mentions > 0 ? (
          <span class="count mention" title={t.mentions(mentions)}>
            <span aria-hidden="true">@ {mentions}</span>
            <span class="unseen">{t.mentions(mentions)}</span>
          </span>
        ) : unread > 0 ? (
          <span class={`count${isQuiet ? ' quiet' : ''}`} title={t.unread(unread)}>
            <span aria-hidden="true">{unread > 99 ? '99+' : unread}</span>
            <span class="unseen">{t.unread(unread)}</span>
          </span>
        ) : null}
      </span>
    </a>
  );
}
