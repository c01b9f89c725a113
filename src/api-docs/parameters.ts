/** The parameters of calls, described. A parameter without a description is an error. */
import type { JsonSchema } from './json-schemas.js';

const PATH: Readonly<Record<string, string>> = {
  room: 'the room: its id or its slug',
  user: 'the id of the user',
  tenant: 'the tenant: its id or its slug',
  message: 'the id of the message',
  code: 'the code of the invitation; to withdraw it, its id does, too',
  key: 'the id of the key',
  close_id: 'the `close_id` of a `goodbye`',
};

/** For all calls, or after the path of one. */
const QUERY: Readonly<Record<string, string>> = {
  limit: 'items of a page',
  cursor: '`next_cursor` of the page before',
  wait: '`false` answers at once with what is known, instead of waiting for the nodes',
  q: 'the words to find; of people, the beginning of a name',
  room: 'in this room alone',
  sender: 'from this user alone',
  user: 'of this user alone',
  session: 'of this session alone',
  node: 'on this node alone',
  ip: 'from this address alone',
  state: 'in this state alone',
  event: 'this event alone',
  action: 'the action that is asked about',
  range: 'how far back',
  'GET /v1/auth/issuers tenant': 'whose users sign in: its id or its slug',
  'GET /v1/auth/issuers/callback state': 'what this service sent along',
  'GET /v1/auth/issuers/callback code': 'what the issuer gives an ID token for',
  'GET /v1/auth/issuers/callback error': 'why the issuer gave no code',
  'GET /v1/rooms/{room}/messages before': 'seqs below this one',
  'GET /v1/rooms/{room}/messages after': 'seqs above this one, oldest first',
  'GET /v1/rooms/{room}/messages around': 'the page that has this seq in its middle',
  'GET /v1/rooms/{room}/messages thread': 'the id of a message: replies to it alone',
  'GET /v1/search before': 'sent before this time',
  'GET /v1/search after': 'sent after this time',
  'GET /v1/admin/explain room': 'the room that is asked about: its id or its slug',
  'GET /v1/admin/explain user': 'the id of the user that is asked about',
};

/** `/sessions/{id}` is the id of the session. */
export function pathDescription(path: string, name: string): string {
  const known = PATH[name];
  if (known !== undefined) return known;
  const kind = new RegExp(`([a-z-]+)/\\{${name}\\}`).exec(path)?.[1];
  if (kind === undefined) throw new Error(`${path}: {${name}} has no description`);
  return `the id of the ${kind.replaceAll('-', ' ').replace(/s$/, '')}`;
}

export function queryDescription(call: string, name: string, schema: JsonSchema): string {
  const found = schema['description'] ?? QUERY[`${call} ${name}`] ?? QUERY[name];
  if (typeof found !== 'string') throw new Error(`${call}: ?${name} has no description`);
  return found;
}
