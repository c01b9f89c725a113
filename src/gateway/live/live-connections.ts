/**
 * The live connections of all nodes: listed, described, closed. Each node answers for its own, in
 * slices that let the event loop go on. Nothing here has to be kept true: it is asked.
 */
import { Injectable } from '@nestjs/common';
import * as z from 'zod';
import { LIMITS } from '@wardroom/protocol/limits';
import { ConnectionRegistry } from '../connection/connection-registry.js';
import type { Connection } from '../connection/connection.js';
import { Channels } from '../delivery/channels.js';
import { Subscriptions } from '../delivery/subscriptions.js';
import {
  LIVE_STATES,
  closeRequestSchema,
  describe,
  liveFilterSchema,
  openedAtMs,
  readLiveConnection,
  readLiveDetail,
} from './live-connection.js';
import type { CloseRequest, LiveConnection, LiveDetail, LiveFilter } from './live-connection.js';
import { NodeBus } from './node-bus.js';
import type { Answers } from './node-bus.js';

/** Rows, and connections looked at, of one turn of the event loop. */
const ROWS_OF_A_TURN = 100;
const LOOKED_OF_A_TURN = 2_000;
/**
 * A node is asked for this much more than it would have of evenly spread connections: all of them
 * for the whole would move each row as often as there are nodes.
 */
const SHARE = 1.25;
const SHARE_MIN = 200;

export interface Found<T> {
  /** Null: no node that answered has it. */
  readonly node: string | null;
  readonly item: T | null;
  readonly partial: string[];
}

const COUNTED_WITHIN_MS = 50;
const sessionsSchema = z.array(z.uuid()).max(LIMITS.pageItems);
const countSchema = z.tuple([z.uuid(), z.int().min(1)]);
type SessionCount = z.infer<typeof countSchema>;
const readCount = (value: unknown): SessionCount | undefined => countSchema.safeParse(value).data;

export interface Counts {
  readonly counts: ReadonlyMap<string, number>;
  readonly partial: string[];
}

@Injectable()
export class LiveConnections {
  constructor(
    private readonly bus: NodeBus,
    private readonly connections: ConnectionRegistry,
    private readonly subscriptions: Subscriptions,
    private readonly channels: Channels,
  ) {
    bus.answer('connections', (body) => this.list(liveFilterSchema.parse(body)));
    bus.answer('connection', (body) => [this.detail(String(body))]);
    bus.answer('counts', (body) => [this.counts(sessionsSchema.parse(body))]);
    bus.answer('close', (body) => [this.close(closeRequestSchema.parse(body))]);
  }

  /**
   * Of each node the newest that match, as many as its share of `count`; `node`: of this one only.
   */
  async ofAll(
    filter: Omit<LiveFilter, 'limit'>,
    count: number,
    node?: string,
  ): Promise<Answers<LiveConnection> & { share: number }> {
    let share = count;
    const bodyFor = (nodes: number): LiveFilter => {
      share = Math.min(count, Math.max(SHARE_MIN, Math.ceil((SHARE * count) / nodes)));
      return { ...filter, limit: share };
    };
    const answers = await this.bus.ask('connections', bodyFor, readLiveConnection, { only: node });
    return { ...answers, share };
  }

  async find(id: string): Promise<Found<LiveDetail>> {
    return firstOf(await this.bus.ask('connection', () => id, readLiveDetail));
  }

  /** By session, without those that have none. A list waits for it: late nodes are `partial`. */
  async countsOf(sessions: readonly string[]): Promise<Counts> {
    if (sessions.length === 0) return { counts: new Map(), partial: [] };
    const options = { withinMs: COUNTED_WITHIN_MS };
    const { byNode, partial } = await this.bus.ask('counts', () => sessions, readCount, options);
    const counts = new Map<string, number>();
    for (const [id, count] of [...byNode.values()].flat())
      counts.set(id, (counts.get(id) ?? 0) + count);
    return { counts, partial };
  }

  /** Closed by the node that has it, before it answers. */
  async closeAnywhere(request: CloseRequest, node: string): Promise<Found<string>> {
    const read = (value: unknown) => (typeof value === 'string' ? value : undefined);
    return firstOf(await this.bus.ask('close', () => request, read, { only: node }));
  }

  private counts(sessions: string[]): SessionCount[] {
    return sessions
      .map((id): SessionCount => [id, [...this.connections.ofSession(id)].filter(isListed).length])
      .filter(([, count]) => count > 0);
  }

  private *list(filter: LiveFilter): Iterable<LiveConnection[]> {
    let slice: LiveConnection[] = [];
    let [looked, left] = [0, filter.limit];
    for (const connection of this.candidates(filter)) {
      if ((looked += 1) % LOOKED_OF_A_TURN === 0 || slice.length === ROWS_OF_A_TURN) {
        yield slice;
        slice = [];
      }
      if (!this.matches(connection, filter)) continue;
      slice.push(describe(connection, this.subscriptions.of(connection).size));
      if ((left -= 1) === 0) break;
    }
    yield slice;
  }

  /** Newest first. */
  private candidates({ session, user, room }: LiveFilter): Connection[] {
    if (session !== undefined) return newestFirst(this.connections.ofSession(session));
    if (user !== undefined) return newestFirst(this.connections.ofUser(user));
    if (room === undefined) return [...this.connections.values()].reverse();
    const subscriptions = this.channels.get(room)?.subscriptions ?? [];
    return newestFirst([...subscriptions].map(({ connection }) => connection));
  }

  private matches(connection: Connection, filter: LiveFilter): boolean {
    const { before, user, session, tenant, room, ip, state } = filter;
    const principal = connection.token?.principal;
    return (
      isListed(connection) &&
      (before === undefined || connection.id < before) &&
      (user === undefined || principal?.userId === user) &&
      (session === undefined || principal?.sessionId === session) &&
      (tenant === undefined || principal?.tenantId === tenant) &&
      (room === undefined || this.subscriptions.of(connection).has(room)) &&
      (ip === undefined || connection.ip === ip) &&
      (state === undefined || connection.state === state)
    );
  }

  private detail(id: string): LiveDetail[] {
    const connection = this.byId(id);
    if (connection === undefined) return [];
    const { timeline, state } = connection;
    return [
      {
        ...describe(connection, this.subscriptions.of(connection).size),
        state: state as LiveDetail['state'],
        omitted: timeline.omitted,
        timeline: timeline.view(openedAtMs(connection)) as unknown as LiveDetail['timeline'],
      },
    ];
  }

  private close({ id, code, by }: CloseRequest): string[] {
    const connection = this.byId(id);
    if (connection === undefined) return [];
    connection.timeline.closedBy(connection.ageMs, by);
    connection.end(code);
    return [id];
  }

  private byId(id: string): Connection | undefined {
    for (const connection of this.connections.values())
      if (connection.id === id) return isListed(connection) ? connection : undefined;
    return undefined;
  }
}

const isListed = ({ state }: Connection): boolean =>
  (LIVE_STATES as readonly string[]).includes(state);

const newestFirst = (connections: Iterable<Connection>): Connection[] =>
  [...connections].sort((a, b) => (a.id < b.id ? 1 : -1));

function firstOf<T>({ byNode, partial }: Answers<T>): Found<T> {
  for (const [node, [item]] of byNode) if (item !== undefined) return { node, item, partial };
  return { node: null, item: null, partial };
}
