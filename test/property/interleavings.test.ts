/**
 * P1 and P2 under random interleavings on three real nodes with a bus in trouble: members are
 * removed, banned, muted, demoted and let in again while everybody publishes, edits, signals and
 * subscribes. Postgres' commit order is the oracle (judge.ts). RUNS (20) and SEED (random; a
 * failure names its own: `SEED=... RUNS=1` writes the same script again).
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { judge } from './judge.js';
import type { Change, History, Sent, Shrink, Standing, Stored } from './judge.js';
import { Peer, eventually } from './peer.js';
import { DEVICES, MEMBERS, NODES, randomOf, scriptOf } from './script.js';
import type { ChangeStep, ListenStep, Script, WriteStep } from './script.js';
import { Trouble } from './trouble.js';

const RUNS = Number(process.env['RUNS'] ?? 20);
const SEED = Number(process.env['SEED'] ?? randomBytes(3).readUIntBE(0, 3));
/** Rooms that are busy at the same time. */
const TOGETHER = RUNS === 1 ? 1 : 5;
/** Before the tokens of a cast end. */
const RUNS_PER_CAST = 250;
const CATCH_UP_MS = 10_000;

interface Cast {
  world: World;
  owner: SignedIn;
  members: SignedIn[];
  /** One connection of the owner to each node. */
  witnesses: Peer[];
  devices: Peer[][];
}

describe('interleavings', () => {
  let cluster: Cluster;
  let database: pg.Pool;
  let trouble: Trouble;

  beforeAll(async () => {
    cluster = await startCluster(NODES, {
      PUBLISH_RATE: '0',
      FRAME_RATE: '0',
      SIGNAL_RATE: '0',
      SUBSCRIBE_RATE: '0',
      CALL_RATE: '0',
      FENCE_CLOSE_MS: '0',
      ACCESS_TTL_SECONDS: '900',
    });
    database = new pg.Pool({ connectionString: cluster.databaseUrl, max: 2 });
  }, 60_000);

  afterAll(async () => {
    await trouble?.end();
    await database?.end();
  });

  test(
    `no promise is broken in ${RUNS} runs from seed ${SEED}`,
    async () => {
      let events = 0;
      for (let from = 0; from < RUNS; from += RUNS_PER_CAST) {
        const cast = await gather(cluster);
        trouble = await Trouble.begin(cluster, randomOf(SEED + from));
        const seeds = Array.from(
          { length: Math.min(RUNS_PER_CAST, RUNS - from) },
          (_, i) => SEED + from + i,
        );
        const lane = async () => {
          for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
            const { history, script } = await new Run(
              cluster,
              database,
              cast,
              scriptOf(seed),
            ).play();
            const violations = judge(history);
            if (violations.length > 0)
              throw new Error(
                `SEED=${seed}: ${violations.join('; ')}\n${JSON.stringify(script)}\n${JSON.stringify(history)}`,
              );
            events += history.stored.length;
          }
        };
        try {
          const lanes = Array.from({ length: TOGETHER }, () =>
            lane().finally(() => (seeds.length = 0)),
          );
          // The others finish their run first: what they would say of a cluster that is gone would
          // hide the cause.
          const failed = (await Promise.allSettled(lanes)).find(
            (result) => result.status === 'rejected',
          );
          if (failed !== undefined) throw failed.reason;
        } finally {
          await trouble.end();
          for (const peer of [...cast.witnesses, ...cast.devices.flat()]) peer.close();
        }
      }
      console.log(
        `[interleavings] ${RUNS} runs, ${events} events, trouble: ${JSON.stringify(Object.fromEntries(trouble.done))}`,
      );
      expect(events).toBeGreaterThan(RUNS);
    },
    60_000 + RUNS * 3_000,
  );
});

async function gather({ nodes }: Cluster): Promise<Cast> {
  const world = await World.create({ base: nodes[0]!.url });
  const owner = await world.user('owner');
  const members = await world.users(...Array.from({ length: MEMBERS }, (_, i) => `member${i}`));
  const witnesses = await Promise.all(
    nodes.map((node, i) => Peer.open(`owner@${i}`, node.wsUrl, owner)),
  );
  const devices = await Promise.all(
    members.map((member, m) =>
      Promise.all(
        Array.from({ length: DEVICES }, (_, d) =>
          Peer.open(`member${m}@${(m + d) % NODES}`, nodes[(m + d) % NODES]!.wsUrl, member),
        ),
      ),
    ),
  );
  return { world, owner, members, witnesses, devices };
}

/** One room from its making to the verdict. */
class Run {
  private readonly changes: Change[] = [];
  private readonly sent: Sent[] = [];
  private readonly mine = new Map<string, string>();
  private room = '';
  private guest: Peer | null = null;
  private receiptMs = Infinity;

  constructor(
    private readonly cluster: Cluster,
    private readonly database: pg.Pool,
    private readonly cast: Cast,
    private readonly script: Script,
  ) {}

  async play(): Promise<{ history: History; script: Script }> {
    const { cast, script } = this;
    this.room = await eventually(() =>
      cast.world.room(
        cast.owner,
        {},
        cast.members.map((member) => [member, 'member']),
      ),
    );
    await Promise.all(cast.witnesses.map((witness) => this.listenFor(witness)));
    await Promise.all(
      cast.devices.flat().map((device) => device.ask({ type: 'subscribe', room: this.room })),
    );
    if (script.ending !== null) await this.invite(script.ending);
    await Promise.all([
      this.change(script.changes),
      ...script.writers.map((steps) => this.write(steps)),
      ...script.listeners.map((steps) => this.listen(steps)),
      ...(script.ending === null
        ? []
        : [
            this.write(
              Array.from({ length: script.ending.publishes }, () => ({
                delayMs: 10,
                do: 'publish',
                author: 'owner',
                device: 0,
              })),
              this.guest!,
            ),
            this.endGuest(script.ending),
          ]),
    ]);
    return { history: await this.verdict(), script };
  }

  /** A witness has to be there before the first event. */
  private async listenFor(witness: Peer): Promise<void> {
    await eventually(async () => {
      const { type, code } = await witness.ask({ type: 'subscribe', room: this.room });
      if (type !== 'subscribed') throw new Error(`${witness.name} could not subscribe: ${code}`);
    });
  }

  private async change(steps: readonly ChangeStep[]): Promise<void> {
    for (const { delayMs, member, from, to, node } of steps) {
      await sleep(delayMs);
      const change: Change = {
        user: this.cast.members[member]!.id,
        to,
        startMs: Date.now(),
        endMs: Infinity,
        effective: false,
      };
      this.changes.push(change);
      try {
        const { body } = await call(
          this.cluster.nodes[node]!.url,
          ...this.request(change.user, from, to),
        );
        const receipt = body.receipt ?? body;
        Object.assign(change, { endMs: Date.now(), effective: receipt.effective === true });
      } catch {
        // Not answered in time: what became of it is in the log.
      }
    }
  }

  private request(
    user: string,
    from: Standing,
    to: Standing,
  ): [string, Parameters<typeof call>[2]] {
    const token = this.cast.owner.token;
    const members = `/v1/rooms/${this.room}/members`;
    if (to === 'removed') return [`${members}/${user}`, { method: 'DELETE', token }];
    if (from === 'removed') return [members, { token, body: { user, role: 'member' } }];
    const patch = {
      in: { role: 'member', muted_until: null, banned: false },
      muted: { muted_until: new Date(Date.now() + 3_600_000).toISOString() },
      viewer: { role: 'viewer' },
      banned: { banned: true },
    }[to];
    return [`${members}/${user}`, { method: 'PATCH', token, body: patch }];
  }

  private async write(steps: readonly WriteStep[], through?: Peer): Promise<void> {
    const answers: Promise<unknown>[] = [];
    for (const { delayMs, do: what, author, device } of steps) {
      await sleep(delayMs);
      const peer =
        through ??
        (author === 'owner'
          ? this.cast.witnesses[device]!
          : this.cast.devices[author]![device % DEVICES]!);
      const id = `op-${randomBytes(8).toString('hex')}`;
      const message = this.mine.get(peer.user);
      this.sent.push({ id, user: peer.user, session: peer.session, sentMs: Date.now() });
      if (what === 'signal')
        answers.push(peer.ask({ type: 'signal', room: this.room, kind: 'k', body: { id } }));
      else if (what === 'edit' && message !== undefined)
        answers.push(
          peer.ask({ type: 'edit', room: this.room, message_id: message, op_id: id, body: { id } }),
        );
      else
        answers.push(
          peer
            .ask({ type: 'publish', room: this.room, op_id: id, body: { id } })
            .then((ack) => ack.type === 'ack' && this.mine.set(peer.user, ack.message_id)),
        );
    }
    await Promise.all(answers);
  }

  private async listen(steps: readonly ListenStep[]): Promise<void> {
    for (const { delayMs, member, device } of steps) {
      await sleep(delayMs);
      await this.cast.devices[member]![device]!.ask({ type: 'subscribe', room: this.room });
    }
  }

  private async invite({ member, node }: NonNullable<Script['ending']>): Promise<void> {
    const signedIn = await eventually(() => this.cast.world.login(this.cast.members[member]!));
    this.guest = await Peer.open(
      `second session of member${member}`,
      this.cluster.nodes[node]!.wsUrl,
      signedIn,
    );
    await this.guest.ask({ type: 'subscribe', room: this.room });
  }

  private async endGuest({ member, afterMs, endOn }: NonNullable<Script['ending']>): Promise<void> {
    await sleep(afterMs);
    const { token } = this.cast.members[member]!;
    try {
      const { body } = await call(
        this.cluster.nodes[endOn]!.url,
        `/v1/auth/sessions/${this.guest!.session}`,
        { method: 'DELETE', token },
      );
      if (body.effective === true) this.receiptMs = Date.now();
    } catch {
      // Not answered in time: if it ended, Postgres says when.
    }
  }

  private async verdict(): Promise<History> {
    const stored = await this.stored();
    const top = Math.max(0, ...stored.map(({ seq }) => seq));
    const deadline = Date.now() + CATCH_UP_MS;
    const last = (peer: Peer) =>
      peer.heardIn(this.room).findLast((received) => received.what === 'event')?.seq ?? 0;
    while (this.cast.witnesses.some((witness) => last(witness) < top) && Date.now() < deadline)
      await sleep(20);
    const peers = [
      ...this.cast.witnesses,
      ...this.cast.devices.flat(),
      ...(this.guest === null ? [] : [this.guest]),
    ];
    const history = {
      changes: this.changes,
      shrinks: await this.shrinks(),
      stored,
      sent: this.sent,
      ears: peers.map((peer) => ({
        name: peer.name,
        user: peer.user,
        session: peer.session,
        received: peer.heardIn(this.room),
        witness: this.cast.witnesses.includes(peer),
      })),
      endings: await this.endings(),
    };
    for (const peer of peers) {
      peer.forget(this.room);
      await peer.ask({ type: 'unsubscribe', room: this.room });
    }
    this.guest?.close();
    return history;
  }

  private async stored(): Promise<Stored[]> {
    const { rows } = await this.database.query(
      'SELECT seq, epoch, sender, op_id, at FROM room_events WHERE room_id = $1 ORDER BY seq',
      [this.room],
    );
    return rows.map((row) => ({
      seq: Number(row.seq),
      epoch: Number(row.epoch),
      sender: row.sender,
      opId: row.op_id,
      atMs: row.at.getTime(),
    }));
  }

  private async shrinks(): Promise<Shrink[]> {
    const { rows } = await this.database.query(
      `SELECT payload FROM authority_events WHERE kind = 'member.changed' AND payload ->> 'room' = $1 ORDER BY n`,
      [this.room],
    );
    return rows.map(({ payload: { user, role, banned, muted_until: muted, epoch } }) => ({
      user,
      epoch,
      to: banned ? 'banned' : role === null ? 'removed' : muted === null ? 'viewer' : 'muted',
    }));
  }

  private async endings(): Promise<History['endings']> {
    if (this.guest === null) return [];
    const { rows } = await this.database.query(
      'SELECT ended_at FROM sessions WHERE id = $1 AND ended_at IS NOT NULL',
      [this.guest.session],
    );
    return rows.map((row) => ({
      session: this.guest!.session,
      endedMs: row.ended_at.getTime(),
      receiptMs: this.receiptMs,
    }));
  }
}
