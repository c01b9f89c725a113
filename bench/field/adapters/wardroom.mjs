import { randomBytes } from 'node:crypto';
import { root } from '../../../scripts/lib/install.mjs';
import { stopChild } from '../../../scripts/lib/children.mjs';
import { OPERATOR, call, openStores, startNodes } from '../../revocation/cluster.mjs';
import { versionOf } from '../packages.mjs';
import { plainClient } from './adapter.mjs';

const LEASE_MS = 5_000;
/** Frames that tell of the end of a right, and are no answers. */
const NOTICES = new Set(['auth_expired', 'unsubscribed', 'goodbye']);

const connect = (port, token) =>
  plainClient({
    url: `ws://127.0.0.1:${port}/v1/ws`,
    token,
    protocols: ['wardroom.v1'],
    joining: (room, ref) => ({ type: 'subscribe', id: String(ref), room }),
    publishing: (room, body, op_id, ref) => ({
      type: 'publish',
      id: String(ref),
      room,
      op_id,
      body,
    }),
    read(frame, seat, ready) {
      const { type, id } = frame;
      if (type === 'auth_ok') ready();
      else if (type === 'message') seat.message(frame.body);
      else if (NOTICES.has(type)) seat.tell(frame.code ? `${type} ${frame.code}` : type);
      else if (id !== undefined) seat.answer(Number(id), type === 'error' ? 'refused' : 'accepted');
    },
  });

/**
 * The field server of a running deployment, in a tenant of its own.
 * @param {{ urls: string[], operator: string, stop?: () => Promise<void> }} deployment
 * @returns {Promise<import('./adapter.mjs').FieldServer>}
 */
export async function fieldOf({ urls, operator, stop = async () => {} }) {
  const [first] = urls;
  const slug = `field-${randomBytes(5).toString('hex')}`;
  const { id: tenant } = await call(first, '/v1/admin/tenants', {
    token: operator,
    body: { slug, name: slug },
  });
  const ports = urls.map((url) => Number(new URL(url).port));
  const people = new Map();
  const tenantTtl = (access_ttl_seconds) =>
    call(first, `/v1/admin/tenants/${tenant}`, {
      method: 'PATCH',
      token: operator,
      body: { access_ttl_seconds },
    });
  const person = (name) => {
    if (!people.has(name)) people.set(name, newPerson(name));
    return people.get(name);
  };
  const newPerson = async (name) => {
    const account = {
      email: `${name}@field.example`,
      password: randomBytes(18).toString('base64url'),
    };
    const { id } = await call(first, `/v1/admin/tenants/${tenant}/users`, {
      token: operator,
      body: { ...account, name, role: 'member' },
    });
    return { ...account, id };
  };
  const signIn = async (name, seconds) => {
    const { email, password } = await person(name);
    if (seconds !== undefined) await tenantTtl(seconds);
    try {
      const body = { tenant: slug, email, password };
      return (await call(first, '/v1/auth/login', { body })).access_token;
    } finally {
      if (seconds !== undefined) await tenantTtl(null);
    }
  };
  let turn = Promise.resolve('');
  /** One after another: the life of a token is that of the tenant. */
  const login = (name, { seconds } = /** @type {{ seconds?: number }} */ ({})) => {
    const mine = turn.then(() => signIn(name, seconds));
    turn = mine.catch(() => '');
    return mine;
  };
  let owner;
  return {
    ports,
    login,
    async room(users) {
      owner ??= login('owner');
      const token = await owner;
      const body = { name: 'field', visibility: 'private' };
      const { id } = await call(first, '/v1/rooms', { token, body });
      for (const name of users)
        await call(first, `/v1/rooms/${id}/members`, {
          token,
          body: { user: (await person(name)).id, role: 'member' },
        });
      return id;
    },
    logout: (token) => call(first, '/v1/auth/logout', { token, body: {} }),
    remove: async (name, room) =>
      call(first, `/v1/rooms/${room}/members/${(await person(name)).id}`, {
        method: 'DELETE',
        token: await owner,
      }),
    connect: (token, { node = 'first', port } = {}) =>
      connect(port ?? (node === 'last' ? ports.at(-1) : ports[0]), token),
    stop,
  };
}

/** @returns {import('./adapter.mjs').Adapter} */
export const wardroom = (nodes) => ({
  name: `wardroom-${nodes}`,
  title: nodes === 1 ? 'Wardroom, one node' : 'Wardroom, two nodes',
  nodes,
  docs: ['docs/operations.md', 'docs/protocol.md'],
  setUp: `${nodes === 1 ? 'One node' : 'Two nodes'} in the configuration of production over a private Postgres and Redis, rate limits off, and a client of raw frames.${nodes === 1 ? '' : ' Calls go to the first node; who loses a right is connected to the second.'}`,
  means: {
    logout: '`POST /v1/auth/logout`',
    remove: '`DELETE /v1/rooms/{room}/members/{user}`',
    repeat: '`op_id`',
  },
  version: () => `wardroom ${versionOf('.', root)}`,
  missing: () => undefined,
  async start() {
    const stores = await openStores(() => {});
    const started = await startNodes(stores, nodes, LEASE_MS);
    const { access_token: operator } = await call(started[0].url, '/v1/auth/login', {
      body: OPERATOR,
    });
    return fieldOf({
      urls: started.map(({ url }) => url),
      operator,
      stop: async () => {
        await Promise.all(started.map(({ process: child }) => stopChild(child)));
        await Promise.all(started.flatMap(({ lines }) => lines.map((line) => line.stop())));
      },
    });
  },
});
