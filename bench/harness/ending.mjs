/**
 * Sessions ended by a call: one after the other, from the moment it is sent until each of the
 * session's sockets has seen its close frame (or the end).
 */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Histogram } from './histogram.mjs';

const PATIENCE_MS = 5_000;
const BETWEEN_MS = 5;

/** The first `warmEnds` are not counted: their code has never run. */
export async function endSessions(load) {
  const { ends, warmEnds, users, ports } = load.spec;
  const [last, answered] = [new Histogram(), new Histogram()];
  const http = connect({ port: ports[0], host: '127.0.0.1', noDelay: true });
  let missed = 0;
  for (const [turn, { user, request }] of ends.entries()) {
    const mine = load.connections.filter(
      (client) => client.isReady && client.index % users === user,
    );
    let open = mine.length;
    const started = performance.now();
    const note = (histogram) => {
      if (turn >= warmEnds) histogram.add(performance.now() - started);
    };
    const closed = new Promise((resolve) => {
      for (const client of mine) {
        client.onClosed = () => {
          if (--open > 0) return;
          note(last);
          resolve();
        };
      }
    });
    const answer = call(load, http, request).then(() => note(answered));
    await Promise.race([Promise.all([closed, answer]), sleep(PATIENCE_MS)]);
    missed += open;
    await sleep(BETWEEN_MS);
  }
  http.destroy();
  return { last_close_ms: last.summary(), answer_ms: answered.summary(), sockets_missed: missed };
}

function call(load, http, request) {
  return new Promise((resolve) => {
    http.once('data', (text) => {
      if (!/^HTTP\/1.1 20\d/.test(text.latin1Slice(0, Math.min(16, text.length))))
        load.firstError ??= text.latin1Slice(0, Math.min(300, text.length));
      resolve();
    });
    http.write(request);
  });
}
