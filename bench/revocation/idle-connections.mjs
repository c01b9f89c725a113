/**
 * Connections that do nothing, in a process of their own: `node idle-connections.mjs`, told over
 * IPC `{urls, token, count}`, later `{reconnect: true}`; answers `{open}`, how many there are now.
 * They end with the process.
 */
import { WebSocket } from 'ws';

const AT_ONCE = 100;
let token;
let open = 0;
/** Where one is to be opened. */
let wanted = [];

process.on('message', (/** @type {{ urls?: string[], token?: string, count?: number }} */ task) => {
  if (task.urls !== undefined) {
    token = task.token;
    wanted = Array.from({ length: task.count }, (_, i) => task.urls[i % task.urls.length]);
  }
  void openAll();
});
process.on('disconnect', () => process.exit(0));

async function openAll() {
  const enter = async () => {
    for (let url = wanted.pop(); url !== undefined; url = wanted.pop()) await connect(url);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, enter));
  process.send({ open });
}

function connect(url) {
  return new Promise((resolve) => {
    const ws = new WebSocket(url, ['wardroom.v1'], {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
    });
    let counted = false;
    ws.on('message', (data) => {
      if (counted || !String(data).startsWith('{"type":"auth_ok"')) return;
      counted = true;
      open += 1;
      resolve();
    });
    ws.on('error', resolve);
    ws.on('close', () => {
      resolve();
      if (counted) {
        open -= 1;
        wanted.push(url);
      }
    });
  });
}
