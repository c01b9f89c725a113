/**
 * Somebody who can write to Redis: can slow the service down or stop it. Cannot make a receipt
 * false, read a room, open a connection, or end a process. The targets are found by watching Redis,
 * so that a new key cannot be forgotten.
 */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { newId } from '../../src/platform/ids.js';
import { REDIS } from '../faults/stores.js';
import { live } from '../protocol/harness.js';
import { FakeIssuer, issuersFile } from '../support/issuer.js';
import { describeWith } from '../support/needs.js';
import { startMailbox } from '../support/mailbox.js';
import type { Mailbox } from '../support/mailbox.js';
import { freshRedisUrl, startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { insight } from '../support/redis-insight.js';
import type { Insight } from '../support/redis-insight.js';
import { World, call, unique, wsUrl } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { KINDS, Wire, aboutOf, forgeriesOf, kindOf, kindsMade } from './redis-wire.js';

const full = process.env['SECURITY'] === 'full';
const ROUNDS = full ? 20 : 1;
const MIB = 1024 * 1024;

/** The text around a word: a failure shows the place. */
function surroundings(text: string, word: string): string | undefined {
  const at = text.indexOf(word);
  return at < 0 ? undefined : text.slice(Math.max(0, at - 200), at + 200);
}

describeWith(REDIS, 'what a writer of Redis can do')('a writer of Redis', () => {
  let cluster: Cluster;
  let foreign: Cluster;
  let redis: Redis;
  let mailbox: Mailbox;
  let wire: Wire;
  let ours: Insight;
  let world: World;
  let ada: SignedIn;
  let ben: SignedIn;
  let mallory: SignedIn;
  let room: string;
  const listened: { channel: string; box: Buffer }[] = [];

  beforeAll(async () => {
    const issuer = await FakeIssuer.start();
    mailbox = await startMailbox();
    const slug = unique('t');
    const redisUrl = await freshRedisUrl();
    const env = {
      REDIS_URL: redisUrl,
      MAX_CONNECTIONS_PER_IP: '0',
      MAX_UNAUTHENTICATED_PER_IP: '0',
      SESSION_IDLE_SECONDS: '300',
      SMTP_URL: mailbox.url,
      MAIL_FROM: 'Wardroom <no-reply@wardroom.test>',
    };
    [cluster, foreign] = await Promise.all([
      startCluster(2, {
        ...env,
        ISSUERS_FILE: issuersFile([issuer.entry([slug], { users: 'create' })]),
      }),
      startCluster(1, { ...env, PUBLIC_URL: 'http://another.test' }),
    ]);
    redis = new Redis(redisUrl);
    wire = await Wire.of(redisUrl);
    ours = await insight(cluster);
    world = await World.create({
      base: cluster.nodes[0]!.url,
      tenant: { slug, allow_registration: true, allow_guests: true },
    });
    [ada, ben, mallory] = (await world.users('ada', 'ben', 'mallory')) as [
      SignedIn,
      SignedIn,
      SignedIn,
    ];
    room = await world.room(ada, {}, [[ben, 'member']]);
    const ear = new Redis(redisUrl);
    ear.on('smessageBuffer', (channel: Buffer, box: Buffer) =>
      listened.push({ channel: channel.toString(), box }),
    );
    ear.on('messageBuffer', (channel: Buffer, box: Buffer) =>
      listened.push({ channel: channel.toString(), box }),
    );
    await ear.ssubscribe(`${ours.prefix}room:{${room}}`);
    await ear.subscribe(`${ours.prefix}authority:confirmed`);
    stops.push(() => ear.disconnect());
    // Every call that leaves a name in Redis.
    const [a, b] = cluster.nodes.map(({ url }) => url) as [string, string];
    const person = await call(a, '/v1/auth/exchange', {
      body: {
        tenant: slug,
        id_token: await issuer.idToken({ sub: 'sub', email: 'sub@example.com' }),
      },
    });
    expect(person.status).toBe(200);
    await call(a, '/v1/auth/guest', { body: { tenant: slug } });
    await call(a, '/v1/auth/login', {
      body: { tenant: slug, email: ada.email, password: 'wrong-password' },
      expect: 401,
    });
    await call(a, `/v1/rooms/${room}`, { token: mallory.token, expect: 404 });
    await call(a, '/v1/me', { token: 'eyJhbGciOiJFUzI1NiJ9.e30.AAAA', expect: 401 });
    await call(a, '/v1/auth/ticket', { method: 'POST', token: ada.token });
    await call(a, `/v1/auth/issuers?tenant=${slug}`);
    await call(a, '/v1/auth/password/forgot', { body: { tenant: slug, email: ada.email } });
    await call(a, `/v1/admin/tenants/${slug}/invites`, {
      token: world.operator(),
      body: { email: 'eve@example.com' },
    });
    const form = {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      method: 'POST',
    };
    const logout = await fetch(`${b}/v1/oauth/backchannel-logout`, {
      ...form,
      body: `logout_token=${await issuer.logoutToken('sub')}`,
    });
    expect(logout.status).toBe(200);
  }, 90_000);

  const stops: (() => void)[] = [];
  afterAll(async () => {
    for (const stop of stops) stop();
    await mailbox?.stop();
    wire?.stop();
    redis?.disconnect();
  });

  const nodesLive = async () => {
    for (const node of [...cluster.nodes, ...foreign.nodes])
      expect((await fetch(`${node.internalUrl}/livez`)).status).toBe(200);
  };
  const ignored = async () => {
    const counts = new Map<string, number>();
    for (const { internalUrl } of cluster.nodes) {
      const text = await (await fetch(`${internalUrl}/metrics`)).text();
      for (const [, channel, reason, count] of text.matchAll(
        /^wardroom_redis_ignored_total\{channel="(\w+)",reason="(\w+)"\} (\d+)$/gm,
      )) {
        counts.set(
          `${channel} ${reason}`,
          (counts.get(`${channel} ${reason}`) ?? 0) + Number(count),
        );
      }
    }
    return counts;
  };
  const until = async (is: () => boolean | Promise<boolean>, what: string) => {
    for (const deadline = performance.now() + 10_000; !(await is());) {
      if (performance.now() > deadline) throw new Error(`not within 10 s: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  /** A socket of ada in the room on each node; what is published is heard there. */
  const inRoom = async (token: string) => {
    const clients = await Promise.all(cluster.nodes.map(({ wsUrl: url }) => live(url, token)));
    for (const client of clients) await client.subscribe(room);
    return clients as [RawClient, RawClient];
  };
  const forgeries = (about: string) => forgeriesOf(ours, room, about);

  test('finds these names and no others, and each begins with the installation', async () => {
    const [a, b] = await inRoom(ada.token);
    a.send({ type: 'signal', room, kind: 'k', body: 'heard' });
    await b.next((frame) => frame.type === 'signal' && frame.body === 'heard');
    await call(cluster.nodes[0]!.url, '/v1/admin/nodes', { token: world.operator() });
    // Over a tenth of a rate in a second, so that it is shared.
    for (let i = 0; i < 50; i += 1) b.send({ type: 'signal', room, kind: 'k', body: i });
    const find = () =>
      [
        ...new Set(
          [...wire.names]
            .filter((name) => name.startsWith(ours.prefix))
            .map((name) => kindOf(name, ours.prefix)),
        ),
      ].sort();
    expect(kindsMade().filter((kind) => !kind.startsWith('probe:'))).toEqual(
      KINDS.filter((kind) => !kind.startsWith('probe:')),
    );
    await until(
      () => find().length >= KINDS.length,
      `all names; missing ${KINDS.filter((kind) => !find().includes(kind)).join(' ')}`,
    );
    expect(find()).toEqual(KINDS);
    const theirs = (await insight(foreign)).prefix;
    expect(
      [...wire.names].filter((name) => !name.startsWith(ours.prefix) && !name.startsWith(theirs)),
    ).toEqual([]);
  }, 60_000);

  test('reads nothing of a room: neither messages nor names of members or tenants nor confirmations stand there in clear', async () => {
    const secret = `words-of-the-room-${unique('s')}`;
    const [a, b] = await inRoom(ada.token);
    await a.publish(room, secret, 'op-secret');
    a.send({ type: 'signal', room, kind: 'k', body: secret });
    // In either order: they come by different ways.
    await until(
      () =>
        ['signal', 'message'].every((type) =>
          b.frames.some((frame) => frame.type === type && frame.body === secret),
        ),
      'both on the other node',
    );
    await until(
      () => listened.some(({ box }) => ours.open(`room\n${room}`, box)?.includes(secret) === true),
      'the message on its channel',
    );
    const heard = Buffer.concat(listened.map(({ box }) => box)).toString('latin1');
    // Seen enough: what follows would only fill its memory.
    wire.stop();
    for (const text of [wire.text, heard])
      for (const word of [secret, ada.id, ada.email, ada.tenant, '"kind"', '"position"'])
        expect(surroundings(text, word)).toBeUndefined();
  }, 30_000);

  test.each(Array.from({ length: ROUNDS }, (_, i) => i))(
    'ends no process and delivers nothing by what it writes, round %i',
    async () => {
      const [a, b] = await inRoom(ada.token);
      const outsider = await live(cluster.nodes[1]!.wsUrl, mallory.token);
      const before = await ignored();
      const names = [...wire.names].filter((name) => name.startsWith(ours.prefix));
      for (const name of names) {
        const kind = kindOf(name, ours.prefix);
        const about = aboutOf(name, kind);
        for (const forgery of forgeries(about)) {
          if (kind === 'room:{}' || kind === 'probe:{}:rooms') await redis.spublish(name, forgery);
          else if (kind.startsWith('probe') || kind === 'authority:confirmed')
            await redis.publish(name, forgery);
          else if (kind === 'authority') await redis.xadd(name, '*', 'e', forgery);
          else await redis.set(name, forgery, 'EX', 60);
        }
      }
      // Earlier messages, sent again, and on other channels.
      for (const { channel, box } of listened.slice(-200)) {
        if (channel.includes(':room:')) await redis.spublish(channel, box);
        await redis.publish(`${ours.prefix}authority:confirmed`, box);
        await redis.xadd(`${ours.prefix}authority`, '*', 'e', box);
        await redis.spublish(`${ours.prefix}room:{${room}}`, box);
      }
      await redis.xadd(`${ours.prefix}authority`, '*', 'other', 'fields', 'than', 'ours');
      const clear = `${newId()}${JSON.stringify({ kind: 'transient', frames: [{ room, session: ada.session, epoch: 0, frame: '{"type":"signal","body":"forged"}' }] })}`;
      await redis.spublish(`${ours.prefix}room:{${room}}`, clear);
      a.send({ type: 'signal', room, kind: 'k', body: 'after the storm' });
      await b.next((frame) => frame.type === 'signal' && frame.body === 'after the storm');
      const since = async (key: string) =>
        ((await ignored()).get(key) ?? 0) - (before.get(key) ?? 0);
      for (const channel of ['room', 'authority', 'confirmation']) {
        for (const reason of ['unsealed', 'version', 'forged', 'shape'])
          await until(
            async () => (await since(`${channel} ${reason}`)) > 0,
            `${channel} ${reason}`,
          );
      }
      await until(async () => (await since('room late')) > 0, 'a copy in a room');
      await nodesLive();
      expect(
        b.frames.filter(({ type, body }) => type === 'signal' && body === 'after the storm'),
      ).toHaveLength(1);
      expect(JSON.stringify(b.frames)).not.toContain('forged');
      expect(
        outsider.frames.filter(
          ({ type }) => type !== 'hello' && type !== 'auth_ok' && type !== 'auth_expiring_soon',
        ),
      ).toEqual([]);
      // Keys of the wrong type, and everything gone.
      for (const name of names) {
        await redis.del(name);
        await redis.rpush(name, 'x');
      }
      const ben2 = await world.login(ben);
      await call(cluster.nodes[0]!.url, `/v1/rooms/${room}`, { token: mallory.token, expect: 404 });
      const { body: receipt } = await call(cluster.nodes[0]!.url, '/v1/auth/logout', {
        method: 'POST',
        token: ben2.token,
      });
      expect(receipt.effective).toBe(true);
      await redis.flushall();
      await nodesLive();
    },
    120_000,
  );

  test('ends no process by values of many megabytes', async () => {
    wire.stop();
    const huge = Buffer.alloc(80 * MIB, 'x');
    await redis.xadd(`${ours.prefix}authority`, '*', 'e', huge);
    await redis.publish(`${ours.prefix}authority:confirmed`, huge);
    await redis.spublish(`${ours.prefix}room:{${room}}`, huge);
    const ticket = `wr_tk_${randomBytes(32).toString('base64url')}`;
    await redis.set(
      `${ours.prefix}ticket:{${createHash('sha256').update(ticket).digest('hex')}}`,
      huge,
    );
    const client = await RawClient.open(`${wsUrl(cluster.nodes[0]!.url)}?ticket=${ticket}`);
    expect((await client.closed).reason.code).toMatch(/auth_invalid|auth_unavailable/);
    await redis.del(`${ours.prefix}authority`);
    await nodesLive();
    const user = await world.login(ben);
    const { body: receipt } = await call(cluster.nodes[1]!.url, '/v1/auth/logout', {
      method: 'POST',
      token: user.token,
    });
    expect(receipt.effective).toBe(true);
  }, 60_000);

  test('opens no connection: a ticket written by hand, changed, or brought back after its use is refused', async () => {
    const [a, b] = cluster.nodes as [Cluster['nodes'][0], Cluster['nodes'][0]];
    const hashOf = (ticket: string) => createHash('sha256').update(ticket).digest('hex');
    const keyOf = (ticket: string) => `${ours.prefix}ticket:{${hashOf(ticket)}}`;
    const present = async (ticket: string, on = b) => {
      const client = await RawClient.open(`${wsUrl(on.url)}?ticket=${ticket}`);
      const first = await Promise.race([
        client.next((frame) => frame.type === 'auth_ok' || frame.type === 'goodbye'),
        client.closed.then(({ reason }) => reason),
      ]);
      client.close();
      return first.type === 'auth_ok' ? 'in' : first.code;
    };
    const issue = async () =>
      (await call(a.url, '/v1/auth/ticket', { method: 'POST', token: ada.token })).body
        .ticket as string;
    const iat = Date.now();
    const wanted = {
      session: ada.session,
      user: ada.id,
      tenant: ada.tenant,
      kid: 'k',
      jti: newId(),
      iat,
      exp: iat + 315_360_000_000,
      origin: null,
    };
    const byHand = `wr_tk_${randomBytes(32).toString('base64url')}`;
    await redis.set(keyOf(byHand), JSON.stringify(wanted));
    expect(await present(byHand)).toBe('auth_invalid');

    const [first, second] = [await issue(), await issue()];
    const [box, other] = [
      await redis.getBuffer(keyOf(first)),
      await redis.getBuffer(keyOf(second)),
    ];
    await redis.set(keyOf(second), box!);
    expect(await present(second)).toBe('auth_invalid');
    await redis.set(keyOf(second), other!);
    expect(await present(second)).toBe('in');

    expect(await present(first)).toBe('in');
    for (const node of [a, b]) {
      await redis.set(keyOf(first), box!);
      expect(await present(first, node)).toBe('auth_invalid');
    }
  }, 30_000);

  test('makes no receipt false: a node that is stopped is not confirmed by what is said in its name', async () => {
    const [a, b] = cluster.nodes as [Cluster['nodes'][0], Cluster['nodes'][0]];
    const user = await world.login(ben);
    const stopped = await live(b.wsUrl, user.token);
    const old = listened.filter(({ channel }) => channel.endsWith('confirmed'));
    expect(old.length).toBeGreaterThan(0);
    b.kill('SIGSTOP');
    try {
      const began = performance.now();
      const { body: pending } = await call(a.url, '/v1/auth/logout?wait=false', {
        method: 'POST',
        token: user.token,
      });
      for (let i = 0; i < 3; i += 1) {
        for (const { box } of old) await redis.publish(`${ours.prefix}authority:confirmed`, box);
        for (const forgery of forgeries('confirmation\n'))
          await redis.publish(`${ours.prefix}authority:confirmed`, forgery);
      }
      const { body: seen } = await call(a.url, `/v1/receipts/${pending.id}`, {
        token: world.operator(),
      });
      // The lease of the shared configuration is 2 s: before that nothing but its own word would
      // do.
      if (performance.now() - began < 1_500) expect(seen).toMatchObject({ effective: false });
      expect(
        seen.nodes.filter(({ state }: { state: string }) => state === 'confirmed').length,
      ).toBeLessThanOrEqual(1);
      await until(
        async () =>
          (await call(a.url, `/v1/receipts/${pending.id}`, { token: world.operator() })).body
            .effective === true,
        'effective',
      );
      const { body: settled } = await call(a.url, `/v1/receipts/${pending.id}`, {
        token: world.operator(),
      });
      expect(settled.nodes.map(({ state }: { state: string }) => state).sort()).toEqual([
        'confirmed',
        'fenced',
      ]);
    } finally {
      b.kill('SIGCONT');
    }
    expect((await stopped.closed).reason.code).toBe('session_revoked');
  }, 30_000);

  test('a second installation on the same Redis changes nothing here: a logout after three of its own closes the sockets it names', async () => {
    const there = await World.create({ base: foreign.nodes[0]!.url });
    for (const user of await there.users('x', 'y', 'z')) {
      const { body } = await call(there.base, '/v1/auth/logout', {
        method: 'POST',
        token: user.token,
      });
      expect(body.effective).toBe(true);
    }
    const user = await world.login(ben);
    const sockets = await Promise.all(cluster.nodes.map(({ wsUrl: url }) => live(url, user.token)));
    const { body: receipt } = await call(cluster.nodes[0]!.url, '/v1/auth/logout', {
      method: 'POST',
      token: user.token,
    });
    expect(receipt).toMatchObject({ effective: true, connections_closed: 2 });
    expect(receipt.nodes.every(({ state }: { state: string }) => state === 'confirmed')).toBe(true);
    for (const socket of sockets) expect((await socket.closed).reason.code).toBe('session_revoked');
  }, 30_000);
});
