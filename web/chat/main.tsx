import { render } from 'preact';
import '../tokens.css';
import { CookieSession } from '../model/cookie-session.js';
import { baseUrl } from '../model/page-url.js';

const session = new CookieSession({ url: baseUrl(import.meta.url) });
void session.start();

function Page() {
  const { value } = session.state;
  return <h1>Wardroom: {value === 'signed_in' ? session.me.value?.name : value}</h1>;
}

render(<Page />, document.getElementById('page')!);
