/** The login of `wardroom login`: a file of this user alone, for as long as its token lives. */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const file = () =>
  join(process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'wardroom', 'login.json');

/** @returns {{ url: string, token: string } | undefined} */
export function keptLogin() {
  try {
    const { url, token, until } = JSON.parse(readFileSync(file(), 'utf8'));
    return until > Date.now() ? { url, token } : undefined;
  } catch {
    return undefined;
  }
}

export function keepLogin({ url, token, seconds }) {
  mkdirSync(dirname(file()), { recursive: true, mode: 0o700 });
  const text = JSON.stringify({ url, token, until: Date.now() + seconds * 1000 });
  writeFileSync(file(), text, { mode: 0o600 });
  // A file that was there keeps its mode.
  chmodSync(file(), 0o600);
}

export const forgetLogin = () => rmSync(file(), { force: true });
