import { effect } from '@preact/signals';
import { render } from 'preact';
import '../tokens.css';
import { toast } from '../kit/said/toast.js';
import { readAddress } from '../model/chat/address.js';
import { Chat } from '../model/chat/chat.js';
import { Preferences } from '../model/chat/preferences.js';
import { CookieSession } from '../model/cookie-session.js';
import { takeRefusal } from '../model/issuer-sign-in.js';
import { baseUrl } from '../model/page-url.js';
import { App } from './app.js';
import { deviceName } from './device-name.js';
import { keptArea } from './kept-area.js';
import { notify } from './notify.js';

const url = baseUrl(import.meta.url);
const root = `${new URL(url).pathname}chat`;
const area = keptArea();
const preferences = new Preferences(
  area,
  navigator.languages,
  async () => (await import('../model/chat/texts/de.js')).de,
);
const session = new CookieSession({ url });
const chat = new Chat(
  session,
  preferences,
  {
    root,
    device: deviceName(navigator.userAgent),
    area,
    go: (path, how) => history[how === 'push' ? 'pushState' : 'replaceState'](null, '', path),
    tell: (text, tone) => toast({ text, tone }),
    notify: (title, text, open) => preferences.notify.value && notify(title, text, open),
    isSeen: () => document.visibilityState === 'visible' && document.hasFocus(),
  },
  readAddress(root, location),
);

const visit = () => chat.visit(readAddress(root, location));
addEventListener('popstate', visit);
addEventListener('hashchange', visit);
addEventListener('blur', () => chat.seen(false));
document.addEventListener('visibilitychange', () =>
  chat.seen(document.visibilityState === 'visible'),
);
effect(() => {
  const { theme, texts } = preferences;
  document.documentElement.dataset['theme'] = theme.value;
  document.documentElement.lang = texts.value.locale;
});
effect(() => {
  const name = chat.open.value?.name ?? '';
  const unread = chat.unread.value;
  document.title = `${unread > 0 ? `(${unread}) ` : ''}${name === '' ? '' : `${name} · `}Wardroom`;
});

chat.signIn.refused.value = takeRefusal();
void session.start();
render(<App chat={chat} />, document.getElementById('page')!);
