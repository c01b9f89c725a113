/**
 * A line to a server that can fall silent: from then on nothing of the client reaches the server
 * and nothing comes back, and neither side is told, as when a cable is drawn. The line still reads
 * the server: a close frame, or the end of TCP, says that it let go.
 */
import { connect, createServer } from 'node:net';

const CLOSE = 0x8;

/** @param {number} port of the server */
export async function silentLine(port) {
  const pairs = new Set();
  let silentSince;
  let ended;
  const whenEnded = new Promise((resolve) => (ended = resolve));
  const letGo = () => ended(performance.now() - silentSince);
  const server = createServer({ noDelay: true }, (client) => {
    const far = connect({ host: '127.0.0.1', port, noDelay: true });
    const pair = [client, far];
    const hasClose = closeFrames();
    pairs.add(pair);
    client.on('data', (bytes) => silentSince === undefined && far.write(bytes));
    far.on('data', (bytes) => {
      if (silentSince === undefined) client.write(bytes);
      else if (hasClose(bytes)) letGo();
    });
    const over = () => {
      if (silentSince === undefined) for (const socket of pair) socket.destroy();
    };
    client.on('error', over).on('close', over);
    far.on('error', over).on('close', over);
    for (const event of ['end', 'error', 'close'])
      far.on(event, () => silentSince !== undefined && letGo());
  });
  await /** @type {Promise<void>} */ (
    new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  );
  return {
    port: /** @type {import('node:net').AddressInfo} */ (server.address()).port,
    /** @returns {Promise<number>} milliseconds until the server let go */
    fallSilent() {
      silentSince = performance.now();
      return whenEnded;
    },
    close() {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      server.close();
    },
  };
}

/** Reads frames of a server, which are not masked; answers whether a close was among them. */
function closeFrames() {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    let found = false;
    for (let size = sizeOf(rest); size !== undefined && rest.length >= size; size = sizeOf(rest)) {
      found ||= (rest[0] & 0xf) === CLOSE;
      rest = rest.subarray(size);
    }
    return found;
  };
}

function sizeOf(bytes) {
  if (bytes.length < 2) return undefined;
  const short = bytes[1] & 0x7f;
  if (short < 126) return 2 + short;
  const [header, length] = short === 126 ? [4, 2] : [10, 6];
  if (bytes.length < header) return undefined;
  return header + bytes.readUIntBE(header - length, length);
}
