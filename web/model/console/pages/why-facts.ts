/** The evidence behind an answer of the page Why, as names and values. */
import type { Close } from '../../../../src/admin/closes/close.schema.js';
import type { DecisionView } from '../../../../src/admin/decisions/decision.schema.js';
import type { TokenInspection } from '../../../../src/admin/tokens/token-inspection.schema.js';
import { duration, plain, spaced } from '../words.js';

export interface Fact {
  readonly name: string;
  readonly value: string;
  readonly as: 'text' | 'time' | 'id';
  /** A place of the console. */
  readonly to?: { page: string; id?: string; fields?: Record<string, string> };
}

export const sessionsOf = (user: string) => ({ page: 'sessions', fields: { user, state: 'all' } });

export function idFact(name: string, id: string | null, page: string | null): Fact[] {
  if (id === null) return [];
  const to = page === null ? undefined : page === 'people' ? sessionsOf(id) : { page, id };
  return [{ name, value: id, as: 'id', ...(to === undefined ? {} : { to }) }];
}

const personFact = (name: string, id: string | null, text: string | null): Fact[] =>
  id === null || text === null
    ? idFact(name, id, 'people')
    : [{ name, value: text, as: 'text', to: sessionsOf(id) }];

const timeFact = (name: string, at: string | null): Fact[] =>
  at === null ? [] : [{ name, value: at, as: 'time' }];

const textFact = (name: string, value: unknown): Fact[] =>
  value === null || value === undefined ? [] : [{ name, value: plain(value), as: 'text' }];

export function closeFacts(
  close: Close,
  { endedBy, person }: { endedBy: string | null; person: string | null },
): Fact[] {
  const lived = Date.parse(close.at) - Date.parse(close.opened_at);
  return [
    ...timeFact('closed', close.at),
    ...textFact('side', close.side),
    ...textFact('code', close.status === null ? close.code : `${close.code} (${close.status})`),
    ...textFact(
      'the client was told',
      close.told === null ? 'nothing' : `${close.told.code}, ${close.told.action}`,
    ),
    ...timeFact('opened', close.opened_at),
    ...textFact('lived', duration(lived)),
    ...timeFact('token until', close.token_expires_at),
    ...timeFact('session ended', close.session_ended_at),
    ...textFact('reason', close.reason === null ? null : spaced(close.reason)),
    ...personFact('ended by', close.ended_by, endedBy),
    ...idFact('session', close.session_id, 'sessions'),
    ...personFact('user', close.user_id, person),
    ...idFact('tenant', close.tenant_id, null),
    ...textFact('address', close.ip),
    ...idFact('node', close.node, null),
    ...idFact('connection', close.connection_id, null),
    ...idFact('close id', close.close_id, null),
    ...idFact('receipt', close.receipt, null),
  ];
}

export function decisionFacts({ facts, ...decision }: DecisionView): Fact[] {
  const { room, member, user } = facts;
  return [
    ...timeFact('decided', decision.at),
    ...textFact('action', decision.action),
    ...textFact('rule', decision.rule),
    ...textFact('code', decision.code),
    ...idFact('user', decision.user, 'people'),
    ...idFact('session', decision.session, 'sessions'),
    ...textFact('role of the user', user.active ? user.role : `${user.role}, suspended`),
    ...textFact(
      'in the room',
      member.banned
        ? 'banned'
        : `${member.role ?? 'no member'}${member.muted_until === null ? '' : ', muted'}`,
    ),
    ...textFact(
      'room',
      room === null
        ? 'none of this name'
        : `${room.visibility}, ${room.posting} post${room.open ? '' : ', closed'}`,
    ),
    ...textFact('position in the authority log', decision.authority_position),
  ];
}

export function tokenFacts(inspection: TokenInspection): Fact[] {
  const { session, user, tenant, key, expires_in_ms: left } = inspection;
  return [
    ...textFact('kind', spaced(inspection.kind)),
    ...textFact('verdict', spaced(inspection.verdict)),
    ...textFact('code', inspection.code),
    ...textFact('made here', inspection.verified ? 'yes' : 'no: what it claims is not proven'),
    ...timeFact('issued', inspection.issued_at),
    ...timeFact('expires', inspection.expires_at),
    ...textFact(
      'left',
      left === null ? null : left < 0 ? `over for ${duration(left)}` : duration(left),
    ),
    ...timeFact('clock of the server', inspection.server_time),
    ...textFact('key', key === null ? null : `${key.kid} (${key.state})`),
    ...idFact('user', user?.id ?? null, 'people'),
    ...textFact('e-mail', user?.email),
    ...textFact('state of the user', user?.state),
    ...textFact('tenant', tenant === null ? null : `${tenant.slug} (${tenant.state})`),
    ...idFact('session', session?.id ?? null, 'sessions'),
    ...textFact('state of the session', session?.state),
    ...textFact('ended because', endOf(session?.reason)),
    ...textFact('refresh', inspection.refresh),
    ...textFact('claims', inspection.claims),
  ];
}

const endOf = (reason: string | null | undefined): string | null =>
  reason === null || reason === undefined ? null : spaced(reason);
