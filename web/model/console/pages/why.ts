/**
 * Why? One box takes an id of a close, a decision, a request, a session or a user, an e-mail
 * address, or a token; the answer is a sentence, then its evidence. A token is sent in the body of
 * one call, is not kept afterwards, and is never part of the URL.
 */
import { signal } from '@preact/signals';
import { ACTIONS } from '@wardroom/protocol/codes';
import type { Action } from '@wardroom/protocol/codes';
import type { AuditRecordView } from '../../../../src/admin/audit/audit.schema.js';
import type { Close } from '../../../../src/admin/closes/close.schema.js';
import type { DecisionView } from '../../../../src/admin/decisions/decision.schema.js';
import type { TokenInspection } from '../../../../src/admin/tokens/token-inspection.schema.js';
import { pageClock } from '../receipt-run.js';
import { cliOf, get, send } from '../rest.js';
import type { Ask, Caller } from '../rest.js';
import { nameOf } from '../user-of.js';
import { plural, spaced, troubleOf } from '../words.js';
import type { Trouble } from '../words.js';
import { ofRecord } from './session.js';
import type { Happening } from './session.js';
import type { ListedSession } from './sessions.js';
import { closeFacts, decisionFacts, idFact, sessionsOf, tokenFacts } from './why-facts.js';
import type { Fact } from './why-facts.js';

export type Kind = 'close' | 'id' | 'person' | 'token' | 'nothing';

const CLOSE_ID = /^[0-9a-f]{12}$/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** A JWT, or one of the server's own secrets; long texts without a space are taken for one. */
const TOKEN = /^(?:ey[\w-]+\.[\w-]*\.[\w-]*|wr_[a-z]+_\S+|[^\s@]{60,})$/;

export function kindOf(text: string): Kind {
  const asked = text.trim();
  if (asked === '') return 'nothing';
  if (CLOSE_ID.test(asked)) return 'close';
  if (UUID.test(asked)) return 'id';
  if (TOKEN.test(asked)) return 'token';
  return 'person';
}

const FRESH_TRIES = 4;
const FRESH_MS = 400;

export interface Answer {
  readonly sentence: string;
  /** The advice that the client got, or should get. */
  readonly advice: string | null;
  readonly facts: readonly Fact[];
  readonly happened: readonly Happening[];
  readonly asks: readonly Ask[];
  readonly cli: string;
}

export type WhyState = 'empty' | 'asking' | 'answered' | 'unknown' | 'failed';

export class Why {
  readonly state = signal<WhyState>('empty');
  readonly answer = signal<Answer | null>(null);
  readonly trouble = signal<Trouble | null>(null);
  #round = 0;

  constructor(
    private readonly caller: Caller,
    private readonly pause = (ms: number) => pageClock.pause(ms),
  ) {}

  clear(): void {
    this.#round += 1;
    this.state.value = 'empty';
    this.answer.value = null;
  }

  /** Answers the text that may stand in the URL: all but a token. */
  async ask(text: string): Promise<string> {
    const asked = text.trim();
    const kind = kindOf(asked);
    const round = (this.#round += 1);
    if (kind === 'nothing') {
      this.clear();
      return '';
    }
    this.state.value = 'asking';
    this.trouble.value = null;
    try {
      const answer = await this.#answer(kind, asked);
      if (round !== this.#round) return '';
      this.answer.value = answer;
      this.state.value = answer === null ? 'unknown' : 'answered';
    } catch (error) {
      if (round !== this.#round) return '';
      this.answer.value = null;
      this.trouble.value = troubleOf(error);
      this.state.value = 'failed';
    }
    return kind === 'token' ? '' : asked;
  }

  async #answer(kind: Exclude<Kind, 'nothing'>, text: string): Promise<Answer | null> {
    switch (kind) {
      case 'token':
        return this.#token(text);
      case 'close':
        return this.#freshClose(text.toLowerCase());
      case 'person':
        return this.#person(text);
      case 'id':
        return this.#id(text.toLowerCase());
    }
  }

  /** Nodes write ends every half second: one of a moment ago comes a little later. */
  async #freshClose(id: string): Promise<Answer | null> {
    for (let tries = 1; ; tries += 1) {
      const close = await this.#close(id);
      if (close !== null || tries === FRESH_TRIES) return close;
      await this.pause(FRESH_MS);
    }
  }

  async #close(id: string): Promise<Answer | null> {
    const ask = get(`/v1/admin/closes/${id}`);
    const close = await orNull(send<Close>(this.caller, ask));
    if (close === null) return null;
    const [{ items }, endedBy, person] = await Promise.all([
      send<{ items: AuditRecordView[] }>(
        this.caller,
        get('/v1/admin/audit', { connection: close.connection_id, limit: 50 }),
      ),
      nameOf(this.caller, close.ended_by),
      nameOf(this.caller, close.user_id),
    ]);
    return {
      sentence: named(close.sentence, endedBy),
      advice: adviceOf(close.action),
      facts: closeFacts(close, { endedBy, person }),
      happened: items.map((record) => ({ ...ofRecord(record), why: null })),
      asks: [ask],
      cli: cliOf(['why', id]),
    };
  }

  async #token(token: string): Promise<Answer> {
    const inspection = await send<TokenInspection>(this.caller, {
      method: 'POST',
      path: '/v1/admin/tokens/inspect',
      body: { token },
    });
    return {
      sentence: inspection.sentence,
      advice: adviceOf(inspection.action),
      facts: tokenFacts(inspection),
      happened: [],
      asks: [{ method: 'POST', path: '/v1/admin/tokens/inspect', body: { token: '…' } }],
      cli: 'npx wardroom token inspect -',
    };
  }

  /** A connection, a decision, a request, or a session or user. */
  async #id(id: string): Promise<Answer | null> {
    const close = await this.#close(id);
    if (close !== null) return close;
    const decision = await this.#decision(id);
    if (decision !== null) return decision;
    const request = await this.#request(id);
    return request ?? this.#person(id);
  }

  async #decision(id: string): Promise<Answer | null> {
    const ask = get(`/v1/admin/decisions/${id}`);
    const decision = await orNull(send<DecisionView>(this.caller, ask));
    if (decision === null) return null;
    const { action, rule, code, room } = decision;
    return {
      sentence: `\`${action}\`${room === '' ? '' : ` in room \`${room}\``} was refused with \`${code}\` by the rule \`${rule}\`.`,
      advice: null,
      facts: decisionFacts(decision),
      happened: [],
      asks: [ask],
      cli: cliOf(['why', id]),
    };
  }

  async #request(id: string): Promise<Answer | null> {
    const ask = get('/v1/admin/audit', { request: id, limit: 50 });
    const { items } = await send<{ items: AuditRecordView[] }>(this.caller, ask);
    const first = items.at(-1);
    if (first === undefined) return null;
    return {
      sentence: `This request or connection made ${plural(items.length, 'record')} in the audit, beginning with \`${first.event}\`.`,
      advice: null,
      facts: [
        { name: 'first', value: first.at, as: 'time' },
        ...idFact('user', first.user_id, 'people'),
        ...(first.ip === null ? [] : [{ name: 'address', value: first.ip, as: 'text' } as const]),
        { name: 'node', value: first.chain, as: 'id' },
      ],
      happened: items.map(ofRecord),
      asks: [ask],
      cli: '',
    };
  }

  /** An e-mail address, a name, or the id of a session or user: the newest end explains itself. */
  async #person(q: string): Promise<Answer | null> {
    const ask = get('/v1/admin/sessions', { q, state: 'all', limit: 50 });
    const { items } = await send<{ items: ListedSession[] }>(this.caller, ask);
    if (items.length === 0) return null;
    const person = items[0]!.user;
    const who = person.email ?? person.name ?? 'This guest';
    const live = items.filter(({ state }) => state === 'live');
    const ended = items
      .filter(({ ended_at }) => ended_at !== null)
      .sort((a, b) => b.ended_at!.localeCompare(a.ended_at!))[0];
    const connections = live.reduce((sum, session) => sum + session.connections, 0);
    return {
      sentence: [
        live.length === 0
          ? `${who} has no live session.`
          : `${who} has ${plural(live.length, 'live session')} with ${plural(connections, 'connection')}.`,
        ended === undefined
          ? 'None has ended in 90 days.'
          : `The last one that ended: \`${ended.reason ?? 'unknown'}\`${byWhom(ended)}.`,
      ].join(' '),
      advice: null,
      facts: [
        { name: 'user', value: person.id, as: 'id', to: sessionsOf(person.id) },
        ...items.slice(0, 8).map(({ id, state, reason, device, created_at, ended_at }): Fact => ({
          name: state === 'live' ? 'live session' : `ended: ${spaced(reason ?? 'unknown')}`,
          value: `${device ?? 'no device name'}, ${(ended_at ?? created_at).slice(0, 16).replace('T', ' ')} UTC`,
          as: 'text',
          to: { page: 'sessions', id },
        })),
      ],
      happened: [],
      asks: [ask],
      cli: cliOf(['sessions'], { state: 'all', q }),
    };
  }
}

/** The server names no person in a sentence. */
const named = (sentence: string, by: string | null): string =>
  by === null ? sentence : sentence.replace('somebody else (`ended_by`)', by);

function byWhom({ ended_by: by, user_id: user }: ListedSession): string {
  if (by === null) return ', by the system';
  return by === user ? ', by the user' : ', by somebody else';
}

const adviceOf = (action: Action | null): string | null =>
  action === null ? null : `\`${action}\`: ${ACTIONS[action]}`;

/** A thing that is not there is looked for elsewhere. */
async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    const { code } = troubleOf(error);
    if (code === 'not_found' || code === 'invalid_request') return null;
    throw error;
  }
}
