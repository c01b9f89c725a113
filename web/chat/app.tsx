/** The page: signing in, or rooms to one side and the open one beside them. */
import { useEffect, useState } from 'preact/hooks';
import { Announcer } from '../kit/said/announcer.js';
import { Toasts } from '../kit/said/toast.js';
import type { Chat } from '../model/chat/chat.js';
import { ConnectionBanner } from './room/connection-banner.js';
import { ChatContext } from './context.js';
import { dialog } from './dialogs/dialog-state.js';
import { Dialogs } from './dialogs/dialogs.js';
import { late } from './late.js';
import { RoomView } from './room/room-view.js';
import { SideList } from './side/side-list.js';
import { SignInPage } from './sign-in-page.js';
import './chat.css';

const SidePane = late(async () => (await import('./side/side-pane.js')).SidePane);

export function App({ chat }: { chat: Chat }) {
  return (
    <ChatContext.Provider value={chat}>
      <Page chat={chat} />
      <Toasts />
      <Announcer said={chat.announcements} />
    </ChatContext.Provider>
  );
}

function Page({ chat }: { chat: Chat }) {
  const { state, me } = chat.session;
  const { t } = chat;
  if (state.value === 'starting') return <Waiting text={t.loading} afterMs={100} />;
  if (state.value === 'away') return <Waiting text={t.noAnswer} afterMs={0} />;
  if (me.value === null) return <SignInPage />;
  return <Rooms chat={chat} />;
}

function Waiting({ text, afterMs }: { text: string; afterMs: number }) {
  const [isShown, setShown] = useState(afterMs === 0);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), afterMs);
    return () => clearTimeout(timer);
  }, []);
  return <main class="waiting">{isShown ? <p role="status">{text}</p> : null}</main>;
}

function Rooms({ chat }: { chat: Chat }) {
  const open = chat.open.value;
  const tenant = chat.me.value?.tenant.name;
  useEffect(() => {
    const find = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'k') return;
      event.preventDefault();
      dialog.value = { kind: 'find' };
    };
    addEventListener('keydown', find);
    return () => removeEventListener('keydown', find);
  }, []);
  return (
    <>
      <div class={`frame ${open === null ? 'at-list' : 'at-room'}`}>
        <SideList />
        <main class="main" aria-label={open?.name ?? chat.t.sidebar.nothingOpen}>
          <h1 class="unseen">{open?.name ?? tenant}</h1>
          <div class="middle">
            {open === null ? (
              <>
                <header class="head">
                  <p class="head-text title" aria-hidden="true">
                    {tenant}
                  </p>
                </header>
                <ConnectionBanner />
                <p class="blank">
                  {chat.isListed && chat.rooms.value.rooms.length === 0
                    ? chat.t.sidebar.empty
                    : chat.t.sidebar.nothingOpen}
                </p>
              </>
            ) : (
              <RoomView key={open.id} room={open} />
            )}
          </div>
          {open !== null && chat.pane.value !== null ? <SidePane room={open} /> : null}
        </main>
      </div>
      <Dialogs />
    </>
  );
}
