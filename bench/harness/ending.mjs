/** Sessions ended by a call: one after the other, from the moment it is sent until each of the session's sockets has seen its close frame (or the end). */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Histogram } from './histogram.mjs';

const PATIENCE_MS = 5_000;
const BETWEEN_MS = 5;

export async function endSessions(load) {
  const { ends, users, ports } = load.spec;
  const [each, last, answered] = [new Histogram(), new Histogram(), new Histogram()];
  const http = connect({ port: ports[0], host: '127.0.0.1', noDelay: true });
  let missed = 0;
  for (const { user, request } of ends) {
    const mine = load.connections.filter((client) => client.isReady && client.index % users === user);
    let open = mine.length;
    const started = performance.now();
    const closed = new Promise((resolve) => {
      for (const client of mine) {
        client.onClosed = () => {
          each.add(performance.now() - started);
          if (--open > 0) return;
          last.add(performance.now() - started);
          resolve();
        };
      }
    });
    const answer = call(load, http, request).then(() => answered.add(performance.now() - started));
    await Promise.race([Promise.all([closed, answer]), sleep(PATIENCE_MS)]);
    missed += open;
    await sleep(BETWEEN_MS);
  }
  http.destroy();
  return { each_close_ms: each.summary(), last_close_ms: last.summary(), answer_ms: answered.summary(), sockets_missed: missed };
}

function call(load, http, request) {
  return new Promise((resolve) => {
    http.once('data', (text) => {
      if (!/^HTTP\/1.1 20\d/.test(text.latin1Slice(0, Math.min(16, text.length)))) load.firstError ??= text.latin1Slice(0, Math.min(300, text.length));
      resolve();
    });
    http.write(request);
  });
}
