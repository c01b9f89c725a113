/**
 * Records for the sentinel of silence (sentinel.mjs): every secret that a test used, and what the
 * server said to anybody beside its good answers. Helpers that talk to a server write it here;
 * TEST_SECRETS_DIR is the folder.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/** Shorter ones are words that may stand anywhere. */
const SECRET_CHARS_MIN = 16;
const TOKENS =
  /(?<![\w-])eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{16,}|\bwr_(?:rt|tk|csrf|sk|inv|reg|pwr)_[\w.-]{32,}/g;
/** Of bodies and environments. */
const FIELDS = /^(password|current|new|SECRET_KEY|BOOTSTRAP_OPERATOR_PASSWORD)$/;
/**
 * Frames that say something about the connection or a refusal; the others are what somebody
 * published.
 */
const ABOUT = new Set([
  'hello',
  'auth_ok',
  'auth_error',
  'auth_expiring_soon',
  'auth_expired',
  'error',
  'goodbye',
  'paused',
  'resumed',
  'pong',
]);

const noted = new Set();

function append(file, text) {
  const folder = process.env.TEST_SECRETS_DIR;
  if (folder !== undefined) appendFileSync(join(folder, file), `${text}\n`, { mode: 0o600 });
}

/** @param {string} kind @param {string} secret */
export function noteSecret(kind, secret) {
  if (secret.length < SECRET_CHARS_MIN || noted.has(secret)) return;
  noted.add(secret);
  append('secrets', JSON.stringify([kind, secret]));
}

/** Every token in a text, of whatever it is: a header, a body, a URL. */
export function noteTokens(text) {
  for (const [token] of String(text).matchAll(TOKENS))
    noteSecret(token.startsWith('eyJ') ? 'jwt' : token.slice(0, token.indexOf('_', 3)), token);
}

/**
 * The secrets among the members of a body or an environment: by name, by shape, and the passwords
 * of URLs.
 */
export function noteFields(fields) {
  if (fields === null || typeof fields !== 'object') return;
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value !== 'string') continue;
    if (FIELDS.test(name))
      for (const part of name === 'SECRET_KEY' ? value.split(',') : [value]) noteSecret(name, part);
    if (name.endsWith('_URL') && URL.canParse(value))
      noteSecret(name, decodeURIComponent(new URL(value).password));
    noteTokens(value);
  }
}

/** Something else that must hold none, as it is: a dump, metrics. */
export function notePlace(name, text) {
  append(name, text);
}

/** A problem, a refusal before the upgrade, a close reason: what must hold no secret. */
export function noteSaid(text) {
  append(`said-${process.pid}`, text);
}

/** @param {{ type?: string }[]} frames */
export function noteFrames(frames) {
  const about = frames.filter(({ type }) => ABOUT.has(String(type)));
  if (about.length > 0) noteSaid(JSON.stringify(about));
}
