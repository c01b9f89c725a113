/** The line between one node and one store, and scissors. Cut, nothing arrives on either side and nobody is told. */
import { connect, createServer } from 'node:net';

/** @param {string} url of the store */
export async function lineTo(url) {
  const { hostname, port } = new URL(url);
  const pairs = new Set();
  let cut = false;
  const server = createServer({ noDelay: true }, (client) => {
    const store = connect({ host: hostname, port: Number(port), noDelay: true });
    const pair = [client, store];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    client.pipe(store);
    store.pipe(client);
    if (cut) hold(pair);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(server.address().port);
  const hold = ([client, store]) => {
    client.unpipe(store).pause();
    store.unpipe(client).pause();
  };
  return {
    url: through.href,
    cut() {
      cut = true;
      for (const pair of pairs) hold(pair);
    },
    mend() {
      cut = false;
      for (const [client, store] of pairs) {
        client.pipe(store);
        store.pipe(client);
      }
    },
    stop() {
      for (const pair of [...pairs]) for (const socket of pair) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
