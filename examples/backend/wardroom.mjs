/**
 * Wardroom for a backend: sign your users in, publish, sign them out. Node 20 or newer, without a
 * dependency. WARDROOM_URL and WARDROOM_KEY (`wr_sk_...`) come from the environment.
 */
const { WARDROOM_URL, WARDROOM_KEY } = process.env;

/** Throws an error with `code` (docs/protocol.md) where Wardroom refuses. */
async function call(path, body, headers = {}) {
  const response = await fetch(new URL(path, WARDROOM_URL), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${WARDROOM_KEY}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (response.ok) return answer;
  throw Object.assign(new Error(`${answer.code}: ${answer.detail}`), { code: answer.code });
}

/** Tokens for the browser of your user. The first call makes the user. */
export const signIn = (externalId, name) =>
  call('/v1/service/sessions', { external_id: externalId, name });

/** Ends every session of your user; they are out when this resolves. */
export const signOut = (externalId) =>
  call('/v1/service/sessions/revoke', { external_id: externalId });

/** A room of your product; `slug` names it in later calls. */
export const createRoom = (slug, name) => call('/v1/rooms', { slug, name, visibility: 'public' });

/** The same `opId` publishes once, however often it is sent. */
export const publish = (room, body, opId) =>
  call(`/v1/rooms/${room}/messages`, { body }, { 'idempotency-key': opId });

/** In the name of your user, with their rights. */
export const publishAs = (externalId, room, body, opId) =>
  call(
    `/v1/rooms/${room}/messages`,
    { body },
    { 'idempotency-key': opId, 'wardroom-act-as': `external:${externalId}` },
  );

/** Makes your user a member. */
export const join = (externalId, room) =>
  call(`/v1/rooms/${room}/join`, {}, { 'wardroom-act-as': `external:${externalId}` });
