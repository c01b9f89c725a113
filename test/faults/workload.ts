/**
 * The load during a fault: a tenant with a room, members who stay and publish and listen on every
 * node, and victims on every node whose sessions are ended or whose rights are taken away.
 */
import pg from 'pg';
import { World, call } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { Actor } from './actor.js';
import type { FaultCluster, FaultNode } from './cluster.js';
import { emptyHistory, nowMs, readAll, watchLag } from './history.js';
import type { ChangeKind, ChangeRecord, History, SessionRecord } from './history.js';
import { headOf, readLedger } from './ledger.js';
import type { Ledger } from './ledger.js';

const CALL_TIMEOUT_MS = 25_000;

/** The victims and their losses; each has a socket on every node. */
const VICTIMS: ChangeKind[] = [
  'logout',
  'end_session',
  'suspend',
  'remove',
  'ban',
  'demote',
  'mute',
];
const ROLE_OF: Partial<Record<ChangeKind, string>> = { demote: 'moderator' };

interface Victim {
  kind: ChangeKind;
  user: SignedIn;
  done: boolean;
}

export class Workload {
  readonly history: History;
  private readonly actors: Actor[] = [];
  private readonly victims: Victim[] = [];
  private readonly refreshing = new Map<string, Promise<string | null>>();
  private readonly stopWatching: () => void;
  private afterN = 0;
  private world!: World;
  private owner!: SignedIn;
  room!: string;

  private constructor(private readonly cluster: FaultCluster) {
    this.history = emptyHistory(cluster.leaseMs);
    this.stopWatching = watchLag(this.history);
  }

  /**
   * `rounds`: how many sets of victims. `expiring`: members whose token ends after about so many
   * seconds.
   */
  static async start(
    cluster: FaultCluster,
    { rounds = 1, expiring = 2 }: { rounds?: number; expiring?: number } = {},
  ): Promise<Workload> {
    const workload = new Workload(cluster);
    try {
      await workload.prepare(rounds, expiring);
    } catch (error) {
      workload.stop();
      throw error;
    }
    return workload;
  }

  private async prepare(rounds: number, expiring: number): Promise<void> {
    const { nodes } = this.cluster;
    this.world = await World.create({ base: nodes[0]!.url });
    this.owner = await this.world.user('owner');
    this.room = await this.world.room(this.owner);
    this.afterN = await headOf(this.cluster.databaseUrl());
    const stay = nodes.map(async (node, i) => {
      const [writer, reader] = await Promise.all([
        this.member(`writer${i}`, 'member'),
        this.member(`reader${i}`, 'member'),
      ]);
      this.cast(writer, `writer${i}`, node, true, 100, 150);
      this.cast(reader, `reader${i}`, node, true, 0, 0);
    });
    const roamer = await this.member('roamer', 'member');
    this.cast(roamer, 'roamer', nodes[0]!, true, 80, 0, nodes);
    const leave = Array.from({ length: rounds }, () => VICTIMS)
      .flat()
      .map(async (kind, i) => {
        const user = await this.member(`${kind}${i}`, ROLE_OF[kind] ?? 'member');
        this.victims.push({ kind, user, done: false });
        for (const node of nodes) this.cast(user, `${kind}${i}`, node, false, 250, 250);
      });
    await Promise.all([...stay, ...leave]);
    if (expiring > 0) await this.castExpiring(expiring);
    await Promise.all(this.actors.map((actor) => actor.start()));
  }

  /** A token cannot outlive its session: a session that ends soon gives a token that ends soon. */
  private async castExpiring(seconds: number): Promise<void> {
    const user = await this.member('expiring', 'member');
    const client = new pg.Client({ connectionString: this.cluster.databaseUrl() });
    await client.connect();
    await client.query(
      `UPDATE sessions SET expires_at = clock_timestamp() + make_interval(secs => $2) WHERE id = $1`,
      [user.session, seconds + 1],
    );
    await client.end();
    const { body } = await call(this.cluster.nodes[0]!.url, '/v1/auth/refresh', {
      body: { refresh_token: user.refresh },
    });
    user.token = body.access_token;
    for (const node of this.cluster.nodes) this.cast(user, 'expiring', node, false, 200, 200);
  }

  private async member(name: string, role: string): Promise<SignedIn> {
    const user = await this.world.user(name);
    await call(this.cluster.nodes[0]!.url, `/v1/rooms/${this.room}/members`, {
      token: this.owner.token,
      body: { user: user.id, role },
    });
    return user;
  }

  private cast(
    user: SignedIn,
    name: string,
    node: FaultNode,
    staying: boolean,
    publishEveryMs: number,
    signalEveryMs: number,
    roams?: readonly FaultNode[],
  ): void {
    const session = this.session(user, name);
    const plan = {
      session,
      token: user.token,
      refresh: () => this.refresh(user),
      node,
      rooms: [this.room],
      staying,
      publishEveryMs,
      signalEveryMs,
    };
    this.actors.push(new Actor(roams === undefined ? plan : { ...plan, roams }, this.history));
  }

  /** On the first node, which stays right; for all sockets of a session at once. */
  private refresh(user: SignedIn): Promise<string | null> {
    let running = this.refreshing.get(user.session);
    if (running === undefined) {
      running = this.refreshNow(user).finally(() => this.refreshing.delete(user.session));
      this.refreshing.set(user.session, running);
    }
    return running;
  }

  private async refreshNow(user: SignedIn): Promise<string | null> {
    const response = await fetch(`${this.cluster.nodes[0]!.url}/v1/auth/refresh`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refresh_token: user.refresh }),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    const answer = (await response.json()) as { access_token: string; refresh_token: string };
    if (response.status === 401) return null;
    if (!response.ok) throw new Error(`refresh answered ${response.status}`);
    user.token = answer.access_token;
    user.refresh = answer.refresh_token;
    return user.token;
  }

  private session(user: SignedIn, name: string): SessionRecord {
    const known = this.history.sessions.find(({ id }) => id === user.session);
    if (known !== undefined) return known;
    const exp = JSON.parse(Buffer.from(user.token.split('.')[1]!, 'base64url').toString())
      .exp as number;
    const record = {
      id: user.session,
      user: user.id,
      name,
      expMs: nowMs() + exp * 1000 - Date.now(),
    };
    this.history.sessions.push(record);
    return record;
  }

  /**
   * One change of each kind, at nearly the same time, each through the next of these nodes.
   * Resolves when all are answered.
   */
  async takeRights(via: readonly FaultNode[]): Promise<void> {
    const chosen: Victim[] = [];
    for (const kind of VICTIMS) {
      const victim = this.victims.find((one) => one.kind === kind && !one.done);
      if (victim === undefined) continue;
      victim.done = true;
      chosen.push(victim);
    }
    await Promise.all(chosen.map((victim, i) => this.take(victim, via[i % via.length]!)));
  }

  private async take({ kind, user }: Victim, node: FaultNode): Promise<void> {
    const ends = kind === 'logout' || kind === 'end_session' || kind === 'suspend';
    const change: ChangeRecord = {
      kind,
      via: node.name,
      sessions: ends ? [user.session] : [],
      user: user.id,
      room: ends ? null : this.room,
      invokedMs: nowMs(),
      outcome: 'unknown',
      status: null,
      effectiveMs: null,
      receipt: null,
    };
    this.history.changes.push(change);
    const { method, path, token, body } = this.requestOf(kind, user);
    try {
      const response = await fetch(node.url + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      });
      const answer = (await response.json()) as { receipt?: Receipt } & Receipt;
      const receipt = answer.receipt ?? answer;
      change.status = response.status;
      if (!response.ok) change.outcome = response.status >= 500 ? 'unknown' : 'fail';
      else {
        change.outcome = 'ok';
        change.receipt = receipt;
        if (receipt.effective) change.effectiveMs = await readAll();
      }
    } catch {
      // No answer: it may have happened. The ledger knows.
    }
  }

  private requestOf(
    kind: ChangeKind,
    user: SignedIn,
  ): { method: string; path: string; token: string; body?: unknown } {
    const member = `/v1/rooms/${this.room}/members/${user.id}`;
    const [owner, operator] = [this.owner.token, this.world.operator()];
    switch (kind) {
      case 'logout':
        return { method: 'POST', path: '/v1/auth/logout', token: user.token, body: {} };
      case 'end_session':
        return {
          method: 'POST',
          path: '/v1/admin/revocations',
          token: operator,
          body: { session: user.session, reason: 'fault suite' },
        };
      case 'suspend':
        return {
          method: 'PATCH',
          path: `/v1/admin/users/${user.id}`,
          token: operator,
          body: { state: 'suspended' },
        };
      case 'remove':
        return { method: 'DELETE', path: member, token: owner };
      case 'ban':
        return { method: 'PATCH', path: member, token: owner, body: { banned: true } };
      case 'demote':
        return { method: 'PATCH', path: member, token: owner, body: { role: 'viewer' } };
      case 'mute':
        return {
          method: 'PATCH',
          path: member,
          token: owner,
          body: { muted_until: new Date(Date.now() + 3_600_000).toISOString() },
        };
    }
  }

  /**
   * After the fault: what a writer on each node publishes must be acknowledged and seen by the
   * readers on all nodes.
   */
  async heal(readyMs: number, withinMs: number): Promise<void> {
    const writers = this.actors.filter((actor) => actor.session.name.startsWith('writer'));
    const readers = this.actors.filter((actor) => actor.session.name.startsWith('reader'));
    const patience = withinMs + 8_000;
    const took = await Promise.all(
      writers.map(async (writer) => {
        const op = writer.publish(this.room);
        await writer.until(() => op.seq !== null, patience, 'acknowledged');
        const ackedMs = nowMs();
        await Promise.all(
          readers.map((reader) =>
            reader.until(
              () => reader.seqOf(this.room) >= op.seq!,
              patience,
              `told of seq ${op.seq}`,
            ),
          ),
        );
        return nowMs() - ackedMs;
      }),
    ).catch(() => null);
    this.history.healed = { readyMs, deliveredMs: took === null ? null : Math.max(...took) };
  }

  /**
   * Silence, last questions, and the ledger: read when nobody, not even a victim who lost nothing,
   * can be acknowledged any more.
   */
  async finish(): Promise<Ledger> {
    for (const actor of this.actors) actor.quiet();
    await Promise.all(this.actors.map((actor) => actor.settled(12_000)));
    const ledger = await readLedger(this.cluster.databaseUrl(), [this.room], this.afterN);
    const head = ledger.events.at(-1)?.seq ?? 0;
    await Promise.all(
      this.actors
        .filter((actor) => actor.record.staying)
        .map((actor) =>
          actor
            .until(() => actor.seqOf(this.room) >= head, 4_000, 'at the head')
            .catch(() => undefined),
        ),
    );
    await this.probe();
    return ledger;
  }

  stop(): void {
    for (const actor of this.actors) actor.stop();
    this.stopWatching();
  }

  /** Ended sessions stay ended and valid ones valid, on every node and by every way in. */
  private async probe(): Promise<void> {
    const signedIn = new Map(
      [...this.victims.map(({ user }) => user), this.owner].map((user) => [user.session, user]),
    );
    await Promise.all(
      [...signedIn.values()].flatMap((user) =>
        this.cluster.nodes.map(async (node) => {
          const answer = await call(node.url, '/v1/me', { token: user.token }).catch(
            (error: Error) => error,
          );
          const said = answer instanceof Error ? answer.message : '200';
          this.history.probes.push({
            session: user.session,
            node: node.name,
            how: 'rest',
            atMs: nowMs(),
            accepted: !(answer instanceof Error),
            answer: said,
          });
        }),
      ),
    );
    for (const [i, user] of [...signedIn.values()].entries()) {
      const node = this.cluster.nodes[i % this.cluster.nodes.length]!;
      const answer = await call(node.url, '/v1/auth/refresh', {
        body: { refresh_token: user.refresh },
      }).catch((error: Error) => error);
      const said = answer instanceof Error ? answer.message : '200';
      this.history.probes.push({
        session: user.session,
        node: node.name,
        how: 'refresh',
        atMs: nowMs(),
        accepted: !(answer instanceof Error),
        answer: said,
      });
    }
  }
}

type Receipt = NonNullable<ChangeRecord['receipt']> & { effective: boolean };
