/**
 * The public listener speaks TLS itself: HTTPS and WSS, with a certificate that can be replaced
 * under living connections.
 */
import { once } from 'node:events';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { beforeAll, expect, test } from '@jest/globals';
import { CertificateFiles, OPENSSL, makeCertificate } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { describeWith } from '../support/needs.js';
import { startCluster, startNode } from '../support/node-process.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { World, unique } from '../support/world.js';
import type { SignedIn } from '../support/world.js';

/** More than kernels buffer for one connection, in messages. */
const MESSAGES_MAX = 800;

describeWith(OPENSSL, 'TLS of the public listener')('with TLS_CERT_FILE and TLS_KEY_FILE', () => {
  const first = OPENSSL.met ? makeCertificate() : undefined!;
  let files: CertificateFiles;
  let node: NodeProcess;
  let port: number;
  let ada: SignedIn;
  let room: string;

  beforeAll(async () => {
    files = new CertificateFiles(first);
    // Users and rooms are made through a node that speaks plain HTTP.
    const cluster = await startCluster(1, {
      PUBLIC_URL: 'https://localhost',
      MAX_QUEUE_BYTES: '65536',
      PUBLISH_RATE: '0',
      FRAME_RATE: '0',
      SIGNAL_RATE: '0',
      SUBSCRIBE_RATE: '0',
      CALL_RATE: '0',
    });
    const world = await World.create({ base: cluster.nodes[0]!.url });
    ada = await world.user('ada');
    room = await world.room(ada);
    node = await startNode({ ...cluster.env, ...files.env });
    port = Number(new URL(node.url).port);
  });

  const secure = (): string => `wss://127.0.0.1:${port}/v1/ws`;
  const live = (): Promise<RawClient> =>
    RawClient.live(secure(), ada.token, { rejectUnauthorized: false });

  async function shake(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    await once(socket, 'secureConnect');
    return socket;
  }

  async function shown(): Promise<string> {
    const socket = await shake();
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  }

  const untilShown = (fingerprint: string) =>
    eventually(`certificate ${fingerprint} is shown`, async () => (await shown()) === fingerprint);
  const logged = (words: string) =>
    eventually(`the log says "${words}"`, () => node.logs().includes(words));

  async function get(path: string): Promise<{ status: number; body: any }> {
    const asked = request({
      port,
      host: '127.0.0.1',
      path,
      ca: first.cert,
      headers: { authorization: `Bearer ${ada.token}` },
    }).end();
    const [answer] = await once(asked, 'response');
    return { status: answer.statusCode, body: JSON.parse(await text(answer)) };
  }

  const metric = async (name: string): Promise<number> => {
    const lines = await (await fetch(`${node.internalUrl}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(lines)![1]);
  };
  const tlsDetail = async () =>
    (
      (await (await fetch(`${node.internalUrl}/readyz`)).json()) as {
        details: { tls: Record<string, string> };
      }
    ).details.tls;

  test('REST is served over HTTPS, sockets over WSS, by all carriers that need no cookie', async () => {
    expect(await get('/v1/me')).toMatchObject({ status: 200, body: { user_id: ada.id } });
    const byHeader = await live();
    expect(await byHeader.subscribe(room)).toMatchObject({ type: 'subscribed' });
    const byMessage = await RawClient.open(secure(), { rejectUnauthorized: false });
    byMessage.send({ type: 'auth', token: ada.token });
    await byMessage.next('auth_ok');
    expect(await byMessage.publish(room, 'over TLS')).toMatchObject({ type: 'ack' });
    expect(await byHeader.next('message')).toMatchObject({ body: 'over TLS' });
    byHeader.close();
    byMessage.close();
  });

  test('plain HTTP gets no answer, TLS before 1.2 no connection, 1.2 and 1.3 do', async () => {
    await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow();
    await expect(
      shake({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow();
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await shake({ minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
      socket.destroy();
    }
  });

  test('an offer to upgrade to h2c is ignored, over TLS too', async () => {
    const socket = await shake();
    socket.write(
      'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    );
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('a consumer that does not read is closed with its goodbye behind a write under way, and the node goes on', async () => {
    const [slow, writer] = [await live(), await live()];
    await slow.subscribe(room);
    slow.ws.pause();
    const isClosed = () => node.logs().includes('"slow_consumer"');
    for (let sent = 0; sent < MESSAGES_MAX && !isClosed(); sent += 20) {
      await Promise.all(Array.from({ length: 20 }, () => writer.publish(room, 'x'.repeat(30_000))));
    }
    expect(isClosed()).toBe(true);
    slow.ws.resume();
    await slow.closed;
    expect(await writer.publish(room, 'still here')).toMatchObject({ type: 'ack' });
    writer.close();
  });

  test('a replaced pair is shown to whoever comes, on SIGHUP at once and by itself soon; who is there stays', async () => {
    const before = await live();
    const [onHangUp, byItself] = [makeCertificate(), makeCertificate()];
    expect(await shown()).toBe(first.fingerprint);
    files.replace(onHangUp);
    node.kill('SIGHUP');
    await untilShown(onHangUp.fingerprint);
    files.replace(byItself);
    await untilShown(byItself.fingerprint);
    await before.settled();
    expect(before.isClosed).toBeNull();
    before.close();
  });

  test('a pair that does not fit is refused and said to be: log, metric, readiness; the one before goes on; the next good one is taken', async () => {
    const [used, next] = [makeCertificate(), makeCertificate(3)];
    files.replace(used);
    node.kill('SIGHUP');
    await untilShown(used.fingerprint);
    expect(await metric('wardroom_tls_certificate_refused')).toBe(0);
    files.replace({ cert: next.cert, key: used.key });
    await logged('the new TLS certificate is refused');
    expect(await shown()).toBe(used.fingerprint);
    expect(await metric('wardroom_tls_certificate_refused')).toBe(1);
    expect(await tlsDetail()).toMatchObject({
      status: 'up',
      refused: expect.stringContaining('TLS_KEY_FILE'),
    });
    files.replace(next);
    await untilShown(next.fingerprint);
    expect(await metric('wardroom_tls_certificate_refused')).toBe(0);
    expect(await tlsDetail()).not.toHaveProperty('refused');
    const { expires_at } = await tlsDetail();
    expect(await metric('wardroom_tls_certificate_expires_seconds')).toBe(
      Date.parse(expires_at!) / 1000,
    );
    expect(Date.parse(expires_at!) - Date.now()).toBeLessThan(3 * 86_400_000 + 60_000);
    await logged('expires within 14 days');
  });

  test('a certificate that is no pair, or half of one, stops the start before anything is connected', async () => {
    const other = new CertificateFiles({ cert: first.cert, key: makeCertificate().key });
    const nowhere = {
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      REDIS_URL: 'redis://127.0.0.1:1',
    };
    await expect(startNode({ ...nowhere, ...other.env })).rejects.toThrow(
      'TLS_KEY_FILE: is not the private key of the certificate',
    );
    await expect(startNode({ ...nowhere, TLS_CERT_FILE: other.env.TLS_CERT_FILE })).rejects.toThrow(
      'TLS_CERT_FILE, TLS_KEY_FILE: set both or none',
    );
    await expect(
      startNode({ ...nowhere, ...other.env, TLS_CERT_FILE: `/${unique('none')}` }),
    ).rejects.toThrow('TLS_CERT_FILE: cannot be read');
  });
});
