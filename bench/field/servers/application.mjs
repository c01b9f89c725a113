/**
 * The application around a room server: it signs users in, keeps who is a member of which room, and
 * calls the means that the server documents when a session or a membership ends. The same for every
 * Node server of the field; what differs is in the file of that server.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { SignJWT } from 'jose';

export const SECRET = process.env.FIELD_SECRET ?? '';
const secret = new TextEncoder().encode(SECRET);

/** Members by room: the table of an application. */
const rooms = new Map();

export const isMember = (user, room) => rooms.get(room)?.has(user) === true;

/** A token of a session of its own, signed as by the library `jose`. */
export const signToken = ({ sub, sid, exp }) =>
  new SignJWT({ sid })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setExpirationTime(exp)
    .sign(secret);

/**
 * The routes of the application. `logout` and `remove` are what the server documents for an end, or
 * absent where it documents nothing.
 * @param {{ sign?: (claims: { sub: string, sid: string, exp: number }) => Promise<string>,
 * logout?: (session: { sub: string, sid: string }) => unknown, remove?: (user: string, room:
 * string) => unknown }} [means]
 * @returns {(path: string, body: any) => Promise<object | undefined>}
 */
export function application({ sign = signToken, logout, remove } = {}) {
  const routes = {
    '/login': async ({ user, seconds }) => {
      const exp = Math.floor(Date.now() / 1000) + seconds;
      return { token: await sign({ sub: user, sid: randomUUID(), exp }) };
    },
    '/rooms': async ({ users }) => {
      const room = randomUUID();
      rooms.set(room, new Set(users));
      return { room };
    },
    '/logout': async ({ token }) => {
      await logout?.(JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()));
      return {};
    },
    '/remove': async ({ user, room }) => {
      rooms.get(room)?.delete(user);
      await remove?.(user, room);
      return {};
    },
  };
  return async (path, body) => routes[path]?.(body);
}

/** An HTTP server with these routes; the room server is attached to it. */
export function applicationServer(means) {
  const answer = application(means);
  return createServer((request, response) => {
    const route = request.method === 'POST' && /^\/(?:login|rooms|logout|remove)$/;
    if (!route || !route.test(request.url ?? '')) return;
    void readJson(request).then(async (body) => {
      const result = await answer(request.url, body);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
    });
  });
}

export async function readJson(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

export const listen = (server) =>
  server.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
