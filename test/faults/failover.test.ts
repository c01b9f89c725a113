/**
 * P1, P4: a real asynchronous standby is promoted in place of its primary, which is gone for good,
 * under two running nodes (T3, T8). FAULTS=full goes through more ways in which a standby is
 * behind, more leases and nodes, and one that is not behind.
 */
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { PostgresAccess } from '../../src/platform/stores/postgres-access.js';
import { eventually } from '../support/eventually.js';
import { startNode } from '../support/node-process.js';
import { describeWith, testWith } from '../support/needs.js';
import { RawClient } from '../support/raw-client.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { FaultCluster } from './cluster.js';
import type { FaultNode } from './cluster.js';
import { judgeFailover } from './failover-judge.js';
import { FailoverLoad, ask } from './failover-load.js';
import {
  answersOf,
  auditedIn,
  loggedIn,
  noticedCounts,
  saidIn,
  truthOf,
} from './failover-truth.js';
import { nowMs } from './history.js';
import { withPostgres } from '../support/sql.js';
import { Standby, WHOLE_POSTGRES, postgresFolder } from './standby.js';
import { REDIS } from './stores.js';

const full = process.env['FAULTS'] === 'full';
/** A round is 400 ms at most; the rest is a new connection and a machine that does much else. */
const NOTICED_MS = 3_000;
/** Before the standby falls behind, before the switch, and after it. */
const MUCH = full ? { acks: 500, out: 30, staying: 10 } : { acks: 60, out: 4, staying: 2 };
const FULL = { met: full, reason: 'FAULTS=full is not set' };
const need = WHOLE_POSTGRES.met ? REDIS : WHOLE_POSTGRES;

Logger.overrideLogger(false);

/**
 * The primary is gone, and the standby in its place. Answers when everything went to the promoted
 * one.
 */
async function failOver(
  cluster: FaultCluster,
  standby: Standby,
): Promise<{ killedMs: number; switchedMs: number }> {
  const killedMs = nowMs();
  await cluster.postgres.kill();
  await standby.promote();
  cluster.switchTo(standby.postgres);
  return { killedMs, switchedMs: nowMs() };
}

/** Resolves once every node says, in every way, that its history was replaced, and serves again. */
async function noticedByAll({ nodes }: FaultCluster, before: number[]): Promise<void> {
  await eventually(
    'every node counts a replacement',
    async () => (await noticedCounts(nodes)).every((count, i) => count > before[i]!),
    NOTICED_MS,
  );
  for (const node of nodes) {
    await eventually(`${node.name} serves again`, () => node.isReady(), NOTICED_MS);
    const { details } = await (await fetch(`${node.internalUrl}/readyz`)).json();
    expect(details.authority).toMatchObject({
      status: 'up',
      authority_history_replaced: expect.any(String),
    });
    expect(saidIn(node)).toBeGreaterThan(0);
  }
}

describeWith(need, 'a real standby that is promoted')(
  'with nothing but what had reached the standby',
  () => {
    let cluster: FaultCluster;
    let isWhole = false;
    let standby: Standby | null = null;
    // A test that failed leaves a cluster that the next one must not inherit.
    beforeEach(async () => {
      if (!isWhole) {
        await cluster?.stop();
        cluster = await FaultCluster.start({
          nodes: full ? 3 : 2,
          leaseMs: full ? 5_000 : 1_000,
          postgresFolder: postgresFolder!,
        });
      }
      isWhole = false;
    }, 60_000);
    afterEach(async () => {
      if (!isWhole) await standby?.giveUp(cluster.postgres);
      standby = null;
    });
    afterAll(() => cluster?.stop(), 60_000);

    const follow = async () => (standby = await Standby.of(cluster.postgres));

    const onAll = (token: string) =>
      Promise.all(cluster.nodes.map(({ wsUrl }) => RawClient.live(wsUrl, token)));
    const logout = (node: FaultNode, { token }: SignedIn) =>
      ask(node, '/v1/auth/logout', { body: {}, token });

    async function closedOnAll(clients: RawClient[]): Promise<void> {
      for (const client of clients)
        expect(await client.closed).toMatchObject({
          code: 1008,
          reason: { code: 'session_revoked', action: 'login' },
        });
    }

    async function nobodyTakes({ token, refresh }: SignedIn): Promise<void> {
      for (const node of cluster.nodes) {
        await call(node.url, '/v1/me', { token, expect: 401 });
        await call(node.url, '/v1/auth/refresh', { body: { refresh_token: refresh }, expect: 401 });
        await expect(RawClient.open(node.wsUrl, { token })).rejects.toMatchObject({ status: 401 });
      }
    }

    /** In the promoted server: what the nodes remember is not all that keeps a session ended. */
    async function aliveOf(users: SignedIn[]): Promise<string[]> {
      const ids = users.map(({ session }) => session);
      const alive = `SELECT id FROM sessions WHERE id = ANY($1) AND ended_at IS NULL`;
      const { rows } = await withPostgres(cluster.databaseUrl(), (client) =>
        client.query<{ id: string }>(alive, [ids]),
      );
      return rows.map(({ id }) => id);
    }

    test('T8: four logouts that the standby never saw stay logouts, four right after the switch have true receipts, and what is lost is named', async () => {
      const { nodes } = cluster;
      const world = await World.create({ base: nodes[0]!.url });
      const stays = await world.user('stays');
      const [gone, later] = [
        await world.users('a', 'b', 'c', 'd'),
        await world.users('e', 'f', 'g', 'h'),
      ];
      const room = await world.room(stays);
      const listeners = await onAll(stays.token);
      const [{ epoch }] = await Promise.all(listeners.map((client) => client.subscribe(room)));
      for (let i = 1; i <= 5; i += 1) await listeners[0]!.publish(room, `kept ${i}`);
      const standby = await follow();
      const [goneSockets, laterSockets] = [
        await Promise.all(gone.map(({ token }) => onAll(token))),
        await Promise.all(later.map(({ token }) => onAll(token))),
      ];
      await standby.caughtUp();
      standby.cutOff();
      for (const [i, user] of gone.entries()) {
        expect((await logout(nodes[i % nodes.length]!, user)).body).toMatchObject({
          effective: true,
        });
        await closedOnAll(goneSockets[i]!);
      }
      const dora = await world.login(stays);
      const doras = await onAll(dora.token);
      for (let i = 6; i <= 8; i += 1) await listeners[0]!.publish(room, `lost ${i}`);
      for (const client of listeners)
        await client.next((frame) => frame.type === 'message' && frame.seq === 8);
      const before = await noticedCounts(nodes);

      await cluster.postgres.kill();
      // The address leads to the standby before it is promoted: nobody may take its word, or take
      // it for a loss.
      cluster.switchTo(standby.postgres);
      await expect(new PostgresAccess(cluster.databaseUrl()).find()).rejects.toThrow(
        /^Postgres at \S+ is a standby, which is read-only; name the primary in DATABASE_URL\.$/,
      );
      for (const node of nodes)
        await eventually('says so', () =>
          node.process.logs().includes('Postgres answers as a standby, which is read-only.'),
        );
      expect(await noticedCounts(nodes)).toEqual(before);
      await standby.promote();

      const answers = await Promise.all(
        later.map(async (user, i) => {
          const { status, body } = await logout(nodes[i % nodes.length]!, user);
          expect([200, 503]).toContain(status);
          if (body.effective === true) await closedOnAll(laterSockets[i]!);
          return { user, sockets: laterSockets[i]!, effective: body.effective === true };
        }),
      );
      await noticedByAll(cluster, before);
      for (const user of gone) await nobodyTakes(user);
      expect(await aliveOf(gone)).toEqual([]);
      for (const { user, sockets, effective } of answers) {
        if (!effective) expect(await logoutAgain(nodes[0]!, user)).toBe(true);
        await closedOnAll(sockets);
        await nobodyTakes(user);
      }
      await closedOnAll(doras);
      await nobodyTakes(dora);
      // Twice where the room was compared before the log: once for its events, once for the name of
      // the history.
      const { epoch: now } = await (
        await RawClient.live(nodes[0]!.wsUrl, stays.token)
      ).subscribe(room);
      for (const client of listeners) {
        await client.next((frame) => frame.type === 'reset' && frame.epoch === now);
        const told = client.of('reset');
        expect(told.filter(({ lost }) => lost !== undefined)).toEqual([
          { type: 'reset', room, epoch: expect.any(String), seq: 5, lost: { from: 6, to: 8 } },
        ]);
        expect(told.map((frame) => frame.seq)).toEqual(told.map(() => 5));
        expect(new Set([epoch, ...told.map((frame) => frame.epoch)]).size).toBe(told.length + 1);
        expect(await client.ask({ type: 'subscribe', room, since: 8, epoch })).toMatchObject({
          recovered: false,
          reset: true,
          seq: 5,
          epoch: now,
        });
      }
      const named = nodes.map(() => ({ room, from: 6, to: 8 }));
      for (const node of nodes) expect(loggedIn(node)).toContainEqual(named[0]);
      await eventually(
        'every node has named it in the audit',
        async () => (await auditedIn(cluster.databaseUrl(), [room])).length === nodes.length,
      );
      expect(await auditedIn(cluster.databaseUrl(), [room])).toEqual(named);
      isWhole = true;
    }, 60_000);

    /**
     * Refused as `unavailable`, answered as pending, or never answered: until it is done, or was
     * done.
     */
    async function logoutAgain(node: FaultNode, user: SignedIn): Promise<boolean> {
      let done = false;
      await eventually('the logout is done', async () => {
        const { status, body } = await logout(node, user);
        return (done = status === 401 || body?.effective === true);
      });
      return done;
    }

    const behind: [string, (standby: Standby) => Promise<void>][] = [
      ['the WAL receiver was cut off', async (standby) => standby.cutOff()],
      [
        'its replay was paused, then the WAL receiver was cut off',
        (standby) => standby.pauseReplay().then(() => standby.cutOff()),
      ],
      ['it lagged by a slow wire', async (standby) => standby.lag(200)],
    ];

    test.each(full ? behind : behind.slice(0, 1))(
      'T3: under load, when %s: no false receipt, and every lost event is named',
      async (_how, fallBehind) => {
        const standby = await follow();
        const load = await FailoverLoad.start(cluster, 3);
        try {
          await load.hasDone({ acks: full ? 500 : 100, out: full ? 30 : 6, staying: 3 });
          await standby.caughtUp();
          await fallBehind(standby);
          await load.signOutHalf();
          await load.hasDone({ acks: full ? 500 : 100, out: full ? 30 : 6, staying: 3 });
          const before = await noticedCounts(cluster.nodes);
          const moments = await failOver(cluster, standby);
          await noticedByAll(cluster, before);
          await load.hasDone({ acks: full ? 500 : 50, out: full ? 30 : 3, staying: 1 });
          await load.finish();
          const truth = await truthOf(cluster, load, { ...moments, replaced: true });
          expect(judgeFailover(await answersOf(cluster, load), truth)).toEqual([]);
          isWhole = true;
          const { acks, out, visits, probes } = load;
          console.log(
            `${acks.length} acknowledged, ${truth.audited.length} ranges lost, ${visits.length} logins, ${out.length} effective receipts, ${probes} probes, switched after ${Math.round(moments.switchedMs - moments.killedMs)} ms`,
          );
        } finally {
          load.stop();
        }
      },
      120_000,
    );

    testWith(FULL, 'a synchronous standby')(
      'under load, when it is synchronous: nothing is lost, and no node takes the switch for a loss',
      async () => {
        const standby = await follow();
        await standby.makeSynchronous();
        const load = await FailoverLoad.start(cluster, 3);
        try {
          await load.hasDone(MUCH);
          const before = await noticedCounts(cluster.nodes);
          const moments = await failOver(cluster, standby);
          await load.hasDone(MUCH);
          await load.finish();
          expect(await noticedCounts(cluster.nodes)).toEqual(before);
          const truth = await truthOf(cluster, load, { ...moments, replaced: false });
          expect(judgeFailover(await answersOf(cluster, load), truth)).toEqual([]);
          isWhole = true;
        } finally {
          load.stop();
        }
      },
      120_000,
    );

    test('a node does not start on a standby, and says in one sentence why', async () => {
      const standby = await follow();
      const { pathname } = new URL(cluster.databaseUrl());
      const DATABASE_URL = Object.assign(new URL(standby.postgres.url), { pathname }).href;
      await expect(startNode({ DATABASE_URL })).rejects.toThrow(
        /Postgres at \S+ is a standby, which is read-only; name the primary in DATABASE_URL\./,
      );
      await standby.giveUp(cluster.postgres);
      isWhole = true;
    }, 30_000);
  },
);
