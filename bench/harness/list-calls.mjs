/** Times of REST calls as a client sees them, asked in turns of one node over one connection. */
import { Agent, request } from 'node:http';

const WARM_UP = 3;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/**
 * Calls take turns, so that what else the machine does falls on all of them. `/v1/me` has a turn,
 * too: the price of a call that reads one row.
 *
 * @param {{ port: number, token: string, paths: Record<string, string>, calls: number }} options
 * `paths` by what is asked for
 */
export async function measureCalls({ port, token, paths, calls }) {
  const asked = Object.entries(paths).map(([filter, path]) => ({
    filter,
    path,
    took: [],
    page: { items: [], next_cursor: null },
  }));
  const bare = { filter: 'nothing: GET /v1/me', path: '/v1/me', took: [], page: null };
  for (let turn = 0; turn < WARM_UP + calls; turn += 1)
    for (const one of [bare, ...asked]) {
      const askedMs = performance.now();
      const page = await ask(port, token, one.path);
      if (turn >= WARM_UP) one.took.push(performance.now() - askedMs);
      if (one !== bare) one.page = page;
    }
  agent.destroy();
  return [bare, ...asked].map(({ filter, took, page }) => ({
    filter,
    ...figures(took),
    ...(page === null ? {} : { items: page.items.length, more: page.next_cursor !== null }),
  }));
}

function figures(took) {
  took.sort((a, b) => a - b);
  const at = (q) =>
    Number(took[Math.min(took.length - 1, Math.ceil(q * took.length) - 1)].toFixed(1));
  return { p50_ms: at(0.5), p95_ms: at(0.95), max_ms: at(1) };
}

function ask(port, token, path) {
  const options = { port, agent, path, headers: { authorization: `Bearer ${token}` } };
  return new Promise((resolve, reject) => {
    request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => (text += piece));
      response.once('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${path}: ${response.statusCode} ${text}`));
      });
    })
      .once('error', reject)
      .end();
  });
}
