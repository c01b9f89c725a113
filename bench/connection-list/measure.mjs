/**
 * `GET /v1/admin/connections` over three nodes with 20,000 live connections (contract section 10):
 * the first page, and the whole list page by page; and what a reader who lists again and again does
 * to deliveries, in turns of two seconds with and without.
 *
 *   node bench/connection-list/measure.mjs [--connections 20000] [--times 10] [--out FILE]
 */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { stopChildren, stopOnSignals } from '../../scripts/lib/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { writeReport } from '../harness/machine.mjs';
import { startServer } from '../harness/servers.mjs';
import {
  FIRST_PUBLISHER,
  USERS,
  minter,
  nodeCommand,
  nodeEnvironment,
  openWorld,
  roomId,
} from '../seed.mjs';

const NODES = 3;
const CROWDS = 4;
const BOUNDS = { whole_list_p95_ms: 1_000, delivery_ratio: 1.03 };
const OPERATOR = { email: 'operator@bench.test', password: randomUUID() };
const TURNS = 6;
const TURN_MS = 2_000;
const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '20000' },
    times: { type: 'string', default: '10' },
    out: { type: 'string' },
  },
});
const [connections, times] = [Number(values.connections), Number(values.times)];
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const crowds = [];

/** @param {string} base @param {string} path @param {{ token?: string, body?: object }} [call] */
function ask(base, path, call = {}) {
  const { token, body } = call;
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request(base + path, { agent, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => (text += piece));
      response.once('end', () => {
        if (response.statusCode < 300) resolve(JSON.parse(text));
        else reject(new Error(`${path}: ${response.statusCode} ${text}`));
      });
    });
    sent.once('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function crowd(urls, tokens) {
  const each = Math.ceil(tokens.length / CROWDS);
  const opened = Array.from({ length: CROWDS }, (_, i) => {
    const child = fork(new URL('./crowd.mjs', import.meta.url));
    crowds.push(child);
    child.send({ urls, tokens: tokens.slice(i * each, (i + 1) * each) });
    return new Promise((resolve) => child.once('message', resolve));
  });
  for (const { failures } of await Promise.all(opened))
    if (Object.keys(failures).length > 0) throw new Error(JSON.stringify(failures));
}

/** The whole list. @returns {Promise<{ ms: number, firstMs: number, items: number }>} */
async function list(base, token) {
  const beganMs = performance.now();
  let firstMs = 0;
  let items = 0;
  for (let cursor = ''; cursor !== null;) {
    const page = await ask(base, `/v1/admin/connections?limit=500${cursor}`, { token });
    if (page.partial.length > 0) throw new Error(`partial: ${page.partial.join(', ')}`);
    if (firstMs === 0) firstMs = performance.now() - beganMs;
    items += page.items.length;
    cursor = page.next_cursor === null ? null : `&cursor=${page.next_cursor}`;
  }
  return { ms: performance.now() - beganMs, firstMs, items };
}

/** Delivery times of signals from one node to another, ms; a signal each 10 ms. */
async function deliveries(from, to, ms) {
  const took = [];
  const heard = (data) => {
    const { type, body } = JSON.parse(data);
    if (type === 'signal') took.push(performance.now() - body);
  };
  to.on('message', heard);
  const endMs = performance.now() + ms;
  while (performance.now() < endMs) {
    const frame = { type: 'signal', room: roomId(0), kind: 'bench', body: performance.now() };
    from.send(JSON.stringify(frame));
    await sleep(10);
  }
  await sleep(200);
  to.off('message', heard);
  return took;
}

async function subscriber(url, token) {
  const socket = new WebSocket(url, ['wardroom.v1'], {
    headers: { authorization: `Bearer ${token}` },
  });
  const next = (type) =>
    new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.on('message', (data) => {
        if (JSON.parse(data.toString()).type === type) resolve(undefined);
      });
    });
  await next('auth_ok');
  socket.send(JSON.stringify({ type: 'subscribe', room: roomId(0) }));
  await next('subscribed');
  return socket;
}

const at = (sorted, q) =>
  sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)].toFixed(2);
const figures = (took) => {
  took.sort((a, b) => a - b);
  return { p50_ms: Number(at(took, 0.5)), p95_ms: Number(at(took, 0.95)), of: took.length };
};

stopOnSignals(() => console.error('\nInterrupted.'), 130);
try {
  const world = await openWorld({ log: console.error });
  const servers = [];
  for (let i = 0; i < NODES; i += 1) {
    const port = await freePort();
    const env = {
      ...nodeEnvironment(world, port),
      BOOTSTRAP_OPERATOR_EMAIL: OPERATOR.email,
      BOOTSTRAP_OPERATOR_PASSWORD: OPERATOR.password,
    };
    const options = { port, dir: world.dir, name: `node-${i}` };
    servers.push({ port, ...(await startServer({ ...nodeCommand(), env }, options)) });
  }
  const urls = servers.map(({ port }) => `ws://127.0.0.1:${port}/v1/ws`);
  const bases = servers.map(({ port }) => `http://127.0.0.1:${port}`);
  const mint = await minter(world);
  await crowd(
    urls,
    Array.from({ length: connections }, (_, i) => mint(i % USERS)),
  );
  console.error(`${connections} connections are open.`);
  const login = { tenant: 'system', ...OPERATOR };
  const { access_token: token } = await ask(bases[0], '/v1/auth/login', { body: login });
  const lists = [];
  for (let i = 0; i < times; i += 1) lists.push(await list(bases[i % NODES], token));
  if (lists.some(({ items }) => items !== connections))
    throw new Error(`listed ${lists.map(({ items }) => items).join(', ')}`);

  const [from, to] = await Promise.all([
    subscriber(urls[0], mint(FIRST_PUBLISHER)),
    subscriber(urls[1], mint(FIRST_PUBLISHER + 1)),
  ]);
  const [without, beside] = [[], []];
  for (let turn = 0; turn < TURNS; turn += 1) {
    without.push(...(await deliveries(from, to, TURN_MS)));
    let isOver = false;
    const reader = (async () => {
      while (!isOver) {
        await ask(bases[2], '/v1/admin/connections?limit=500', { token });
        await sleep(1_000);
      }
    })();
    beside.push(...(await deliveries(from, to, TURN_MS)));
    isOver = true;
    await reader;
  }
  from.terminate();
  to.terminate();
  const [quiet, read] = [figures(without), figures(beside)];
  const report = {
    bounds: BOUNDS,
    first_page: figures(lists.map(({ firstMs }) => firstMs)),
    whole_list: figures(lists.map(({ ms }) => ms)),
    deliveries: { without: quiet, beside_a_page_a_second: read },
    delivery_ratio: Number((read.p50_ms / quiet.p50_ms).toFixed(3)),
  };
  writeReport(
    values.out,
    `node bench/connection-list/measure.mjs --connections ${connections} --times ${times}`,
    report,
  );
  const isOver =
    report.whole_list.p95_ms > BOUNDS.whole_list_p95_ms ||
    report.delivery_ratio > BOUNDS.delivery_ratio;
  process.exitCode = isOver ? 1 : 0;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const child of crowds) child.disconnect();
  agent.destroy();
  await stopChildren();
}
