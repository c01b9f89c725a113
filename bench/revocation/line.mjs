/**
 * The line between one node and one store. Cut, nothing arrives on either side and nobody is told;
 * long, everything is late.
 */
import { connect, createServer } from 'node:net';

/** @param {string} url of the store */
export async function lineTo(url) {
  const { hostname, port } = new URL(url);
  const pairs = new Set();
  let cut = false;
  let latencyMs = 0;
  const server = createServer({ noDelay: true }, (client) => {
    const store = connect({ host: hostname, port: Number(port), noDelay: true });
    const pair = [client, store];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    client.on('data', (bytes) => pass(store, bytes));
    store.on('data', (bytes) => pass(client, bytes));
    if (cut) for (const socket of pair) socket.pause();
  });
  const pass = (to, bytes) => {
    if (latencyMs === 0) to.write(bytes);
    else setTimeout(() => to.write(bytes), latencyMs);
  };
  await /** @type {Promise<void>} */ (
    new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  );
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(/** @type {import('node:net').AddressInfo} */ (server.address()).port);
  return {
    url: through.href,
    cut() {
      cut = true;
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    mend() {
      cut = false;
      for (const pair of pairs) for (const socket of pair) socket.resume();
    },
    /** Each direction late by `ms`. */
    delay(ms) {
      latencyMs = ms;
    },
    stop() {
      for (const pair of [...pairs]) for (const socket of pair) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
