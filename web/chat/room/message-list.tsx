/**
 * The messages of a room. The end stays in sight while it is in sight; elsewhere what is read stays
 * where it is, whatever is loaded above it. One tab stop: arrows move between messages and within
 * one.
 */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Button } from '../../kit/inputs/button.js';
import { moveFocus } from '../../kit/roving.js';
import type { Row } from '../../model/chat/layout.js';
import type { RoomPage } from '../../model/chat/room/room-page.js';
import { useChat } from '../context.js';
import { MessageRow } from './message-row.js';
import { clock, dayText } from '../times.js';

const NEAR_PX = 600;
const AT_END_PX = 48;

export function MessageList({ room }: { room: RoomPage }) {
  const chat = useChat();
  const t = chat.t.room;
  const rows = room.rows.value;
  const snapshot = room.snapshot.value;
  const list = useRef<HTMLDivElement>(null);
  const { isAtEnd, fresh, toEnd } = useScroll(room, list);
  const lastMessage = rows.findLast(({ kind }) => kind === 'message');
  const [current, setCurrent] = useState<string | null>(null);
  const stop = rows.some(({ key }) => key === current) ? current : (lastMessage?.key ?? null);
  const seen = readersOf(room, chat);
  return (
    <div class="list-box">
      <div
        class="list"
        ref={list}
        role="log"
        aria-label={t.label(room.name)}
        aria-live="off"
        aria-busy={snapshot.state === 'loading'}
        onKeyDown={(event) => {
          const target = event.target as HTMLElement;
          if (target.closest('[role=menu]') !== null) return;
          const row = target.closest<HTMLElement>('.msg');
          if (row !== null && (event.key === 'ArrowRight' || event.key === 'ArrowLeft')) {
            moveFocus(event, 'a, button', 'inline', row);
            return;
          }
          if (event.key.startsWith('Arrow')) row?.focus();
          moveFocus(event, '.msg');
        }}
        onFocusIn={({ target }) => {
          const key = (target as HTMLElement).closest<HTMLElement>('.msg')?.dataset['key'];
          if (key !== undefined) setCurrent(key);
        }}
      >
        <Top room={room} />
        {rows.map((row) => (
          <RowView key={row.key} room={room} row={row} isStop={row.key === stop} />
        ))}
        {seen.length === 0 ? null : <p class="readers">{t.seenBy(seen)}</p>}
      </div>
      {isAtEnd ? null : (
        <div class="to-end">
          <Button onClick={toEnd}>↓ {fresh > 0 ? t.jumpNew(fresh) : t.jump}</Button>
        </div>
      )}
    </div>
  );
}

function Top({ room }: { room: RoomPage }) {
  const { t } = useChat();
  const { state, messages, hasOlder, loadingOlder, error, refreshing } = room.snapshot.value;
  if (room.lock.value === 'signed_out') return <p class="blank">{t.room.hidden}</p>;
  if (state === 'loading')
    return <p class="blank">{error === undefined ? t.loading : t.room.failedToLoad}</p>;
  if (messages.length === 0 && state === 'ready') return <p class="blank">{t.room.empty}</p>;
  if (loadingOlder) return <p class="blank small">{t.room.loadingOlder}</p>;
  if (refreshing) return <p class="blank small">{t.room.refreshing}</p>;
  return <p class="blank small">{hasOlder || state === 'ended' ? '' : t.room.beginning}</p>;
}

/** Drawn again when its row changes, not when others come or go. */
function RowView({ room, row, isStop }: { room: RoomPage; row: Row; isStop: boolean }) {
  const { t } = useChat();
  return useMemo(() => {
    if (row.kind === 'message') return <MessageRow room={room} row={row} isStop={isStop} />;
    if (row.kind === 'new')
      return (
        <p class="new-line" data-key={row.key}>
          <span>{t.room.newSince(clock(row.at, t.locale))}</span>
        </p>
      );
    return (
      <h2 class="day" data-key={row.key}>
        <span>{dayText(row.at, t)}</span>
      </h2>
    );
  }, [room, row, isStop, t]);
}

/** The people who have read one's own newest message. */
function readersOf(room: RoomPage, { names, me }: ReturnType<typeof useChat>): string[] {
  const last = room.snapshot.value.messages.at(-1);
  if (last === undefined || !last.mine || last.seq === undefined) return [];
  const own = me.value?.user_id;
  return [...room.readBy.value]
    .filter(([user, seq]) => user !== own && seq >= last.seq!)
    .map(([user]) => names.of(user))
    .slice(0, 5);
}

function useScroll(room: RoomPage, list: { current: HTMLDivElement | null }) {
  const [isAtEnd, setAtEnd] = useState(true);
  const anchor = useRef<{ key: string; top: number } | null>(null);
  const seenN = useRef(0);
  /** Where the list was put last: elsewhere, its reader has moved it. */
  const lastTop = useRef(0);
  const snapshot = room.snapshot.value;
  const lastN = snapshot.messages.findLast(({ n }) => n !== undefined)?.n ?? 0;

  const look = () => {
    const at = list.current;
    if (at === null) return;
    const { hasNewer } = room.snapshot.peek();
    const fromEnd = at.scrollHeight - at.scrollTop - at.clientHeight;
    const isEnd = fromEnd < AT_END_PX && !hasNewer;
    setAtEnd(isEnd);
    room.isSeen.value = isEnd && document.visibilityState === 'visible' && document.hasFocus();
    anchor.current = isEnd ? null : firstVisible(at);
    lastTop.current = at.scrollTop;
    if (at.scrollTop < NEAR_PX) void room.timeline.loadOlder({ keepNewest: isEnd });
    if (fromEnd < NEAR_PX && hasNewer) void room.timeline.loadNewer();
  };
  const jumpToEnd = () => {
    anchor.current = null;
    list.current!.scrollTop = list.current!.scrollHeight;
  };
  const keepEnd = (at: HTMLElement) => {
    if (at.scrollTop < lastTop.current - 2) return;
    at.scrollTop = at.scrollHeight;
  };
  useEffect(() => {
    const at = list.current!;
    const events = ['focus', 'blur'] as const;
    at.addEventListener('scroll', look, { passive: true });
    for (const name of events) addEventListener(name, look);
    document.addEventListener('visibilitychange', look);
    const sizes = new ResizeObserver(() => {
      if (anchor.current === null) keepEnd(at);
    });
    sizes.observe(at);
    return () => {
      at.removeEventListener('scroll', look);
      for (const name of events) removeEventListener(name, look);
      document.removeEventListener('visibilitychange', look);
      sizes.disconnect();
      room.isSeen.value = false;
    };
  }, [room]);

  useLayoutEffect(() => {
    const at = list.current!;
    const wanted = room.wanted.peek();
    const found = wanted === null ? null : at.querySelector<HTMLElement>(`[data-seq="${wanted}"]`);
    if (found !== null) {
      room.wanted.value = null;
      found.scrollIntoView({ block: 'center' });
      found.classList.add('found');
      found.focus({ preventScroll: true });
      setTimeout(() => found.classList.remove('found'), 2500);
    } else if (wanted === null && anchor.current === null) keepEnd(at);
    else if (anchor.current !== null) {
      const { key, top } = anchor.current;
      const row = at.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
      if (row !== null) at.scrollTop += row.getBoundingClientRect().top - top;
    }
    look();
  }, [room.rows.value, room.wanted.value]);
  useLayoutEffect(() => {
    if (room.sent.value > 0) jumpToEnd();
  }, [room.sent.value]);

  if (isAtEnd) seenN.current = lastN;
  return {
    isAtEnd,
    fresh: snapshot.hasNewer ? 0 : Math.max(0, lastN - seenN.current),
    toEnd: () => {
      room.toEnd();
      jumpToEnd();
    },
  };
}

/** The first row that is in sight, and where. */
function firstVisible(list: HTMLElement): { key: string; top: number } | null {
  const edge = list.getBoundingClientRect().top;
  const rows = [...list.children] as HTMLElement[];
  let [low, high] = [0, rows.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.getBoundingClientRect().bottom <= edge) low = middle + 1;
    else high = middle;
  }
  const row = rows.slice(low).find(({ dataset }) => dataset['key'] !== undefined);
  return row === undefined
    ? null
    : { key: row.dataset['key']!, top: row.getBoundingClientRect().top };
}
