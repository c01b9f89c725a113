/** Times, sizes, ids and refusals as people read them. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Two units at most: `2 d 4 h`, `11 min`, `41 s`, `28 ms`. */
export function duration(ms: number): string {
  const abs = Math.abs(ms);
  if (abs < 1_000) return `${Math.round(abs)} ms`;
  if (abs < MINUTE) return `${Math.floor(abs / 1_000)} s`;
  if (abs < HOUR) return `${Math.floor(abs / MINUTE)} min`;
  if (abs < DAY) return two(abs, HOUR, 'h', MINUTE, 'min');
  return two(abs, DAY, 'd', HOUR, 'h');
}

function two(ms: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((ms % big) / small);
  const head = `${Math.floor(ms / big)} ${bigUnit}`;
  return rest === 0 ? head : `${head} ${rest} ${smallUnit}`;
}

/** `12 s ago`, `in 3 h`, `now`. Clocks that differ by less than a second say `now`. */
export function relative(at: string | number, nowMs: number): string {
  const ms = (typeof at === 'number' ? at : Date.parse(at)) - nowMs;
  if (Math.abs(ms) < 1_000) return 'now';
  return ms < 0 ? `${duration(ms)} ago` : `in ${duration(ms)}`;
}

/** Minutes and seconds that are left: `3:41`; `over` once they are gone. */
export function countdown(ms: number): string {
  if (ms <= 0) return 'over';
  if (ms >= HOUR) return duration(ms);
  const seconds = Math.floor(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

export function bytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  if (count < 1_000_000) return `${(count / 1_000).toFixed(1)} kB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}

export const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** A name inside a sentence: it cannot turn the direction of what stands behind it. */
export const inSentence = (name: string): string =>
  name.replaceAll(/[\u200E\u200F\u202A-\u202E\u2066-\u2069]/g, '\uFFFD');

/** The end of an id tells two of them apart: they begin with a time. */
export const shortId = (id: string): string => (id.length <= 13 ? id : `…${id.slice(-8)}`);

const AGENTS: readonly [RegExp, string][] = [
  [/\bEdg\/(\d+)/, 'Edge'],
  [/\bFirefox\/(\d+)/, 'Firefox'],
  [/\b(?:Headless)?Chrome\/(\d+)/, 'Chrome'],
  [/\bVersion\/(\d+)[\d.]* (?:Mobile\/\S+ )?Safari/, 'Safari'],
  [/^curl\/(\d+)/, 'curl'],
];

/** `Firefox 133`, else the beginning of what the client sent. */
export function agent(text: string | null): string {
  if (text === null || text === '') return 'no agent';
  for (const [pattern, name] of AGENTS) {
    const found = pattern.exec(text);
    if (found !== null) return `${name} ${found[1]}`;
  }
  return text.length > 32 ? `${text.slice(0, 31)}…` : text;
}

/** `refresh_token` as a word in a sentence. */
export const spaced = (code: string): string => code.replaceAll('_', ' ');

/** A value of a JSON answer on one line. */
export function plain(value: unknown): string {
  if (value === null || value === undefined) return '—';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.length === 0 ? '—' : value.map(plain).join(', ');
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([name, inner]) => `${name} ${plain(inner)}`)
      .join(' · ');
  return JSON.stringify(value);
}

/** The members of a record on one line. No and nothing are left out. */
export const detailText = (detail: Readonly<Record<string, unknown>>): string =>
  Object.entries(detail)
    .filter(([, value]) => value !== null && value !== false)
    .map(([name, value]) => {
      if (value === true) return spaced(name);
      if (name === 'ms' && typeof value === 'number') return `after ${duration(value)}`;
      return `${spaced(name)} ${plain(value)}`;
    })
    .join(' · ');

/** The meaning of a refused or unanswered call for the person who made it. */
export interface Trouble {
  readonly title: string;
  readonly text: string;
  /** Trying again may help. */
  readonly again: boolean;
  readonly code: string;
  readonly decisionId?: string;
}

interface Refusal {
  code?: string;
  message?: string;
  status?: number;
  retryAfterMs?: number;
  decisionId?: string;
  errors?: readonly { path: string; message: string }[];
}

export function troubleOf(error: unknown): Trouble {
  const {
    code = 'internal',
    message = 'Something failed in this page.',
    status,
    retryAfterMs,
    decisionId,
    errors = [],
  } = (error ?? {}) as Refusal;
  const base = { code, ...(decisionId === undefined ? {} : { decisionId }) };
  if (code === 'network')
    return {
      ...base,
      title: 'No answer.',
      text: 'The server could not be reached.',
      again: true,
    };
  if (code === 'step_up_required')
    return {
      ...base,
      title: 'Not without your password.',
      text: 'The server asks for it again, and nothing was changed.',
      again: true,
    };
  if (code === 'role_required' || status === 403)
    return {
      ...base,
      title: 'Not for your role.',
      text: `The server refused it (${code}). Somebody with more rights can do it.`,
      again: false,
    };
  if (code === 'not_found')
    return {
      ...base,
      title: 'Not found.',
      text: 'There is no such thing, or it is not for you to know.',
      again: false,
    };
  if (code === 'rate_limited' || code === 'overloaded')
    return {
      ...base,
      title: 'Too many calls.',
      text: `Wait ${duration(retryAfterMs ?? 1_000)}, then try again.`,
      again: true,
    };
  if (code === 'unavailable' || code === 'auth_unavailable')
    return {
      ...base,
      title: 'Not now.',
      text: 'The node cannot prove that its knowledge is current, or a store does not answer.',
      again: true,
    };
  const fields = errors.map(({ path, message: what }) => `${path}: ${what}`).join('; ');
  return {
    ...base,
    title: 'Refused.',
    text: fields === '' ? `${message} (${code})` : `${fields} (${code})`,
    again: status !== undefined && status >= 500,
  };
}
