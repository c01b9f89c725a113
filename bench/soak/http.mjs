/**
 * REST as a client uses it: status and body, nothing thrown for a refusal. A kept connection that
 * the server closed meanwhile is no answer: asked once more.
 */
export async function call(...request) {
  try {
    return await ask(...request);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return ask(...request);
  }
}

async function ask(url, method, path, token, body) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}
