/** Sessions: a table over any number, its filters, a selection, and what ends which of them. */
import { computed, signal } from '@preact/signals';
import type { ListedSession } from '../../../../src/admin/sessions/session-list.schema.js';
import { NOT_UNDONE } from '../deed.js';
import type { Deed } from '../deed.js';
import { Pager } from '../pager.js';
import type { Fields } from '../place.js';
import { cliOf, get, send, withQuery } from '../rest.js';
import type { Caller } from '../rest.js';
import { inSentence, plural, shortId } from '../words.js';

export type { ListedSession };

export const SESSION_FILTERS = [
  'state',
  'q',
  'tenant',
  'user',
  'device',
  'ip',
  'after',
  'before',
] as const;

export class Sessions {
  readonly pager: Pager<ListedSession>;
  readonly chosen = signal<ReadonlySet<string>>(new Set());
  readonly chosenSessions = computed(() =>
    this.pager.items.value.filter(({ id }) => this.chosen.value.has(id)),
  );
  /** All that is shown is of one person, who has a live session. */
  readonly onePerson = computed(() => {
    const rows = this.pager.items.value;
    const first = rows[0];
    const one = rows.every(({ user_id }) => user_id === first?.user_id);
    return first !== undefined && one ? (rows.find(({ state }) => state === 'live') ?? null) : null;
  });
  /** As in the URL; only known ones. */
  fields: Fields = {};
  /** Something was asked for. */
  opened = false;

  constructor(caller: Caller) {
    this.pager = new Pager(caller, () => '/v1/admin/sessions');
  }

  open(fields: Fields): Promise<void> {
    this.opened = true;
    this.fields = known(fields);
    this.chosen.value = new Set();
    return this.pager.open(queryOf(this.fields));
  }

  toggle(id: string): void {
    const next = new Set(this.chosen.value);
    if (!next.delete(id)) next.add(id);
    this.chosen.value = next;
  }

  /** All that may be ended among those that are shown, or none of them. */
  toggleAll(): void {
    const live = this.pager.items.value.filter(({ state }) => state === 'live');
    const all = live.every(({ id }) => this.chosen.value.has(id));
    this.chosen.value = new Set(all ? [] : live.map(({ id }) => id));
  }

  /** The rows are those of other filters: nobody has stopped typing yet. */
  isStale(fields: Fields): boolean {
    return JSON.stringify(known(fields)) !== JSON.stringify(this.fields);
  }

  /** By a filter beside the person and the state. */
  isNarrowed(fields: Fields): boolean {
    return Object.keys(known(fields)).some((name) => name !== 'q' && name !== 'state');
  }

  get path(): string {
    return withQuery('/v1/admin/sessions', queryOf(this.fields));
  }

  get cli(): string {
    return cliOf(['sessions'], this.fields);
  }
}

const known = (fields: Fields): Fields =>
  Object.fromEntries(
    SESSION_FILTERS.flatMap((name) =>
      fields[name] === undefined || fields[name] === '' ? [] : [[name, fields[name]]],
    ),
  );

/** A day or a local time of the fields `after` and `before` as the server takes it. */
function queryOf(fields: Fields): Fields {
  const query: Record<string, string> = { ...fields };
  for (const name of ['after', 'before']) {
    const at = query[name] === undefined ? Number.NaN : Date.parse(query[name]);
    if (!Number.isNaN(at)) query[name] = new Date(at).toISOString();
  }
  return query;
}

export const personOf = ({
  user,
  guest,
}: Pick<ListedSession, 'user' | 'guest'>): { text: string; title: string } => ({
  text: inSentence(
    user.email ?? user.name ?? (guest ? `guest ${shortId(user.id)}` : shortId(user.id)),
  ),
  title: user.name === null ? user.id : `${user.name} · ${user.id}`,
});

/** The sessions that would end, counted now. */
export interface Count {
  readonly sessions: number;
  readonly connections: number;
  /** There are more; the count stopped. */
  readonly more: boolean;
  readonly ids: readonly string[];
}

const PAGE = 200;
const PAGES_MAX = 5;

export async function countLive(
  caller: Caller,
  filter: { user: string; before?: string },
): Promise<Count> {
  const ids: string[] = [];
  let connections = 0;
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer: { items: ListedSession[]; next_cursor: string | null } = await send(
      caller,
      get('/v1/admin/sessions', { ...filter, state: 'live', limit: PAGE, cursor }),
    );
    for (const session of answer.items) {
      ids.push(session.id);
      connections += session.connections;
    }
    cursor = answer.next_cursor ?? undefined;
    if (cursor === undefined) return { sessions: ids.length, connections, more: false, ids };
  }
  return { sessions: ids.length, connections, more: true, ids };
}

const AGAIN = `${NOT_UNDONE} Whoever is concerned may sign in again; a suspension keeps them out.`;

const base = { reason: 'required', destructive: true, undo: AGAIN } as const;

export function endChosen(sessions: readonly ListedSession[]): Deed {
  const one = sessions.length === 1 ? sessions[0]! : null;
  const connections = sessions.reduce((sum, session) => sum + session.connections, 0);
  return {
    ...base,
    title:
      one === null
        ? `End ${plural(sessions.length, 'session')}`
        : `End a session of ${personOf(one).text}`,
    effects: [
      `${plural(sessions.length, 'session')} and ${plural(connections, 'connection')} end${
        sessions.length === 1 && connections === 0 ? 's' : ''
      } on every node.`,
      ...(sessions.some(({ current }) => current) ? [OWN] : []),
    ],
    button: one === null ? `End ${sessions.length} sessions` : 'End the session',
    asks: (reason) => sessions.map((session) => endOne(session.id, personOf(session).text, reason)),
    cli: (reason) => sessions.map(({ id }) => cliOf(['revoke'], { session: id, reason })),
  };
}

const OWN = 'Your own session is one of them: you will be signed out of this console.';

function endOne(session: string, person: string, reason: string) {
  return {
    method: 'POST',
    path: '/v1/admin/revocations',
    body: { session, reason },
    receipt: true,
    label: `end session ${shortId(session)} of ${person}`,
  } as const;
}

export function endAllOf(user: { id: string; text: string }, count: Count, own: boolean): Deed {
  return {
    ...base,
    title: `End all sessions of ${user.text}`,
    effects: [
      `${countText(count)} end on every node, with every token and ticket that came from them.`,
      ...(own ? [OWN] : []),
    ],
    button: 'End all sessions',
    asks: (reason) => [
      {
        method: 'POST',
        path: '/v1/admin/revocations',
        body: { user: user.id, reason },
        receipt: true,
        label: `end all sessions of ${user.text}`,
      },
    ],
    cli: (reason) => [cliOf(['revoke'], { user: user.id, reason })],
  };
}

/** No call names an exception: each of the others is ended by itself. */
export function endOthers(
  user: { id: string; text: string },
  kept: string,
  count: Count,
  own: boolean,
): Deed {
  const others = count.ids.filter((id) => id !== kept);
  return {
    ...base,
    title: `End all sessions of ${user.text} but this`,
    effects: [
      others.length === 0
        ? 'There is no other live session: nothing would end.'
        : `${plural(others.length, 'other session')} end on every node, one after the other.`,
      `The session ${shortId(kept)} stays.`,
      ...(count.more ? ['There are more than are counted here: do it again afterwards.'] : []),
      ...(own ? [OWN] : []),
    ],
    button: 'End the others',
    asks: (reason) => others.map((id) => endOne(id, user.text, reason)),
    cli: (reason) => others.map((session) => cliOf(['revoke'], { session, reason })),
  };
}

export function endIssuedBefore(
  user: { id: string; text: string },
  before: string,
  count: Count,
): Deed {
  return {
    ...base,
    title: `End what ${user.text} signed in before`,
    effects: [
      `${countText(count)} that began before ${before.replace('T', ' ').slice(0, 16)} UTC end on every node.`,
      'Sessions that began later stay.',
    ],
    button: 'End the older ones',
    asks: (reason) => [
      {
        method: 'POST',
        path: '/v1/admin/revocations',
        body: { user: user.id, issued_before: before, reason },
        receipt: true,
        label: `end what ${user.text} signed in before`,
      },
    ],
    cli: () => [],
  };
}

const countText = ({ sessions, connections, more }: Count): string =>
  `${more ? 'At least ' : ''}${plural(sessions, 'session')} and ${plural(connections, 'connection')}`;
