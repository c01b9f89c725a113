/**
 * Removes everything from a text that looks like a secret of ours: a JWT, a refresh token, a
 * ticket, the code of a link, a bearer value, a credential in a URL. Anybody may choose the text,
 * so the time is linear in its length (test/security/regexes.test.ts), and a text longer than a
 * line of log should be is cut first.
 */
export const REDACTED = '[redacted]';

/** Text beyond it is in no log line. */
const CHARS_MAX = 16_384;

/**
 * Longest stretches of what a token, or a URL, consists of: no character is looked at for two of
 * them.
 */
const TOKEN_RUN = /[A-Za-z0-9_.-]+/g;
const URL_RUN = /\b[a-z]+:\/\/\S+/gi;
const OURS = /\bwr_(?:rt|tk|csrf|sk|inv|reg|pwr)_[A-Za-z0-9_.-]+/g;
/** The first group stays. */
const NAMED = [
  /(\bbearer[ .])[A-Za-z0-9._~+/=-]{8,}/gi,
  /([?&](?:token|ticket|access_token)=)[^&\s"']+/gi,
];
const JWT_START = 'eyJ';
/** Fewer characters before the dot are no JSON object in base64url. */
const JWT_HEAD_CHARS = 8;

export function redactText(text: string): string {
  let rest = text.length > CHARS_MAX ? cut(text) : text;
  if (rest.includes(JWT_START)) rest = rest.replace(TOKEN_RUN, withoutJwt);
  rest = rest.replace(OURS, REDACTED);
  for (const pattern of NAMED) rest = rest.replace(pattern, `$1${REDACTED}`);
  return rest.includes('://') ? rest.replace(URL_RUN, withoutPassword) : rest;
}

/** At a blank: half a secret is not known for one. */
function cut(text: string): string {
  const kept = text.slice(0, CHARS_MAX);
  return `${kept.slice(0, Math.max(0, kept.search(/\s\S*$/)))} [cut, ${text.length} characters]`;
}

/** From where it begins to the end of the stretch. */
function withoutJwt(run: string): string {
  for (let from = run.indexOf(JWT_START); from !== -1;) {
    const dot = run.indexOf('.', from);
    if (dot === -1) break;
    if (dot - from >= JWT_HEAD_CHARS) return run.slice(0, from) + REDACTED;
    from = run.indexOf(JWT_START, dot);
  }
  return run;
}

/** The text between the first colon of a URL's authority and the last `@`. */
function withoutPassword(run: string): string {
  const at = run.lastIndexOf('@');
  for (
    let scheme = run.indexOf('://');
    scheme !== -1 && scheme < at;
    scheme = run.indexOf('://', scheme + 3)
  ) {
    const colon = firstOf(run, scheme + 3);
    if (colon < at && run[colon] === ':') return run.slice(0, colon + 1) + REDACTED + run.slice(at);
  }
  return run;
}

function firstOf(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== ':' && text[at] !== '/' && text[at] !== '@') at += 1;
  return at;
}
