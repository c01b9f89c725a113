/**
 * The load while Postgres fails over: people publish on every node, others sign in, stay or sign
 * out, and somebody goes on trying the tokens of those who are out. Written down as it was
 * answered; judged afterwards (failover-judge.ts).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { RawClient } from '../support/raw-client.js';
import { World, unique } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import type { FaultCluster, FaultNode } from './cluster.js';
import { nowMs, readAll } from './history.js';

/** Between two acts of one actor: the machine is to be busy, not full. */
const PACE_MS = 20;
const VISITORS_PER_NODE = 2;
const ANSWER_MS = 25_000;

export interface Visit {
  session: string;
  token: string;
  refresh: string;
  /** One on each node, in a room. */
  sockets: RawClient[];
  /** Null: nobody signed it out, as far as an answer said. */
  out: { effectiveMs: number; heard: number[] } | null;
}

export interface Ack {
  room: string;
  op: string;
  seq: number;
  message: string;
  invokedMs: number;
  atMs: number;
}

export interface Listener {
  room: string;
  node: string;
  client: RawClient;
  epoch: string;
}

export class FailoverLoad {
  readonly visits: Visit[] = [];
  readonly acks: Ack[] = [];
  readonly listeners: Listener[] = [];
  /** Tokens of sessions whose receipt was effective, and that were taken after it. */
  readonly accepted: string[] = [];
  probes = 0;
  private readonly writers: { room: string; client: RawClient }[] = [];
  private readonly loops: Promise<void>[] = [];
  private running = true;
  private stopped = false;

  private constructor(
    private readonly nodes: readonly FaultNode[],
    private readonly world: World,
  ) {}

  static async start({ nodes }: FaultCluster, rooms: number): Promise<FailoverLoad> {
    const load = new FailoverLoad(nodes, await World.create({ base: nodes[0]!.url }));
    await load.prepare(rooms);
    return load;
  }

  private async prepare(count: number): Promise<void> {
    const owner = await this.world.user('owner');
    const visitors = await this.world.users(
      ...this.nodes.flatMap(() => Array.from({ length: VISITORS_PER_NODE }, () => 'visitor')),
    );
    const members = visitors.map((visitor): [SignedIn, string] => [visitor, 'member']);
    const rooms = await Promise.all(
      Array.from({ length: count }, () => this.world.room(owner, {}, members)),
    );
    for (const room of rooms) {
      for (const node of this.nodes) {
        const [client, writer] = await Promise.all([
          RawClient.live(node.wsUrl, owner.token),
          RawClient.live(node.wsUrl, owner.token),
        ]);
        this.listeners.push({
          room,
          node: node.name,
          client,
          epoch: (await client.subscribe(room)).epoch,
        });
        this.writers.push({ room, client: writer });
      }
    }
    this.loops.push(...this.writers.map(({ room, client }) => this.write(room, client)));
    this.loops.push(
      ...visitors.map((visitor, i) =>
        this.visit(visitor, this.nodes[i % this.nodes.length]!, rooms[i % count]!),
      ),
    );
    this.loops.push(...this.nodes.map((node) => this.probe(node)));
  }

  get rooms(): string[] {
    return [...new Set(this.listeners.map(({ room }) => room))];
  }

  get out(): Visit[] {
    return this.visits.filter(({ out }) => out !== null);
  }

  get staying(): Visit[] {
    return this.visits.filter(({ out }) => out === null);
  }

  /**
   * Every second of those who stay signs out: what is lost now may be the end of a session whose
   * begin is not.
   */
  async signOutHalf(): Promise<void> {
    const leaving = this.staying.filter((_, i) => i % 2 === 0);
    await Promise.all(
      leaving.map((visit, i) => this.signOut(visit, this.nodes[i % this.nodes.length]!)),
    );
  }

  /** As much more as this was done and answered. */
  async hasDone({
    acks,
    out,
    staying,
  }: {
    acks: number;
    out: number;
    staying: number;
  }): Promise<void> {
    const [acked, left, stayed] = [
      this.acks.length + acks,
      this.out.length + out,
      this.staying.length + staying,
    ];
    const isDone = () =>
      this.acks.length >= acked && this.out.length >= left && this.staying.length >= stayed;
    const failed = Promise.all(this.loops).then(() => undefined);
    await Promise.race([eventually('enough was done', isDone, 60_000), failed]);
  }

  /**
   * Every actor finishes its work, and everything acknowledged has come. An actor that never
   * receives it, or is never closed, is judged.
   */
  async finish(): Promise<void> {
    this.running = false;
    await Promise.all(this.loops);
    const last = new Map(
      [...this.acks].sort((a, b) => a.seq - b.seq).map(({ room, message }) => [room, message]),
    );
    const hasCome = ({ room, client }: Listener) =>
      client.frames.findLast(({ type }) => type === 'message')?.message_id === last.get(room);
    const isClosed = ({ sockets }: Visit) => sockets.every((socket) => socket.isClosed !== null);
    await eventually(
      'all has come',
      () => this.listeners.every(hasCome) && this.out.every(isClosed),
      5_000,
    ).catch(() => undefined);
    await Promise.all(this.listeners.map(({ client }) => client.settled()));
  }

  stop(): void {
    this.running = false;
    this.stopped = true;
    for (const { client } of [...this.listeners, ...this.writers]) client.ws.terminate();
    for (const { sockets } of this.visits) for (const { ws } of sockets) ws.terminate();
  }

  /** One message after the other, each until it is acknowledged. */
  private async write(room: string, client: RawClient): Promise<void> {
    while (this.running) {
      const op = unique('op');
      const invokedMs = nowMs();
      for (let acked = false; !acked && client.isClosed === null;) {
        const from = client.frames.length;
        const id = unique('id');
        client.send({ type: 'publish', id, room, op_id: op, body: op });
        const answer = await client.next((frame) => frame.id === id, ANSWER_MS, from);
        acked = answer.type === 'ack';
        if (acked)
          this.acks.push({
            room,
            op,
            seq: answer.seq,
            message: answer.message_id,
            invokedMs,
            atMs: nowMs(),
          });
        else if (!TEMPORARY.has(answer.code))
          throw new Error(`a publish was refused: ${JSON.stringify(answer)}`);
        await delay(acked ? PACE_MS : (answer.retry_after_ms ?? 100));
      }
    }
  }

  /** Signs in here with a socket on every node; two of three sign out again, elsewhere. */
  private async visit(user: SignedIn, node: FaultNode, room: string): Promise<void> {
    const elsewhere = this.nodes[(this.nodes.indexOf(node) + 1) % this.nodes.length]!;
    for (let turn = 0; this.running; turn += 1) {
      const login = await ask(node, '/v1/auth/login', {
        body: { tenant: this.world.tenant.slug, email: user.email, password: user.password },
      });
      if (login.status === 200) {
        const { session_id: session, access_token: token, refresh_token: refresh } = login.body;
        const visit: Visit = {
          session,
          token,
          refresh,
          sockets: await this.socketsOf(token, room),
          out: null,
        };
        this.visits.push(visit);
        if (turn % 3 !== 0) await this.signOut(visit, elsewhere);
      }
      await delay(PACE_MS);
    }
  }

  /** A node that is fenced, or that has heard of the loss of this very login, lets nobody in. */
  private async socketsOf(token: string, room: string): Promise<RawClient[]> {
    const opened = await Promise.allSettled(
      this.nodes.map(async ({ wsUrl }) => {
        const client = await RawClient.live(wsUrl, token);
        client.send({ type: 'subscribe', id: 's', room });
        return client;
      }),
    );
    return opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  }

  /** `unavailable` is said where the change is lost: then it is asked again, as the answer says. */
  private async signOut(visit: Visit, node: FaultNode): Promise<void> {
    while (!this.stopped) {
      const { status, body } = await ask(node, '/v1/auth/logout', { body: {}, token: visit.token });
      if (status === 200 && body.effective === true) {
        const effectiveMs = await readAll();
        visit.out = { effectiveMs, heard: visit.sockets.map(({ frames }) => frames.length) };
      }
      if (status < 500 && status !== 0) return;
      await delay(PACE_MS);
    }
  }

  /**
   * The tokens of who is out, by REST and by handshake, without a pause over the whole failover.
   */
  private async probe(node: FaultNode): Promise<void> {
    for (let i = 0; this.running; i += 1) {
      await delay(PACE_MS);
      const { out } = this;
      if (out.length === 0) continue;
      const { session, token, refresh } = out[(i * 7) % out.length]!;
      const ways = {
        rest: async () => (await ask(node, '/v1/me', { token })).status === 200,
        refresh: async () =>
          (await ask(node, '/v1/auth/refresh', { body: { refresh_token: refresh } })).status ===
          200,
        connect: () =>
          RawClient.live(node.wsUrl, token).then(
            (client) => (client.ws.terminate(), true),
            () => false,
          ),
      };
      for (const [way, isTaken] of Object.entries(ways)) {
        this.probes += 1;
        if (await isTaken()) this.accepted.push(`${way} on ${node.name} for ${session}`);
      }
    }
  }
}

/** Refusals that a client is to try again. */
const TEMPORARY = new Set(['auth_unavailable', 'unavailable']);

/** A POST when there is a body. Status 0: no answer. */
export async function ask(
  node: FaultNode,
  path: string,
  { body, token }: { body?: unknown; token?: string },
): Promise<{ status: number; body: any }> {
  try {
    const response = await fetch(node.url + path, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return { status: response.status, body: await response.json() };
  } catch {
    return { status: 0, body: null };
  }
}
