import { render } from 'preact';
import '../tokens.css';
import { Console } from '../model/console/console.js';
import { CookieSession } from '../model/cookie-session.js';
import { baseUrl } from '../model/page-url.js';
import { App } from './app.js';

const url = baseUrl(import.meta.url);
const session = new CookieSession({ url });
const bar = {
  read: () => location.hash,
  write: (hash: string, replace: boolean) =>
    replace ? history.replaceState(null, '', hash) : history.pushState(null, '', hash),
};
const console = new Console(session, url.replace(/\/$/, ''), bar);
for (const event of ['hashchange', 'popstate']) addEventListener(event, () => console.arrived());
void session.start();

render(<App console={console} session={session} />, document.getElementById('page')!);
