/**
 * Asks all nodes over Redis, with a deadline. Every node listens on one channel for questions and
 * on one of its own for answers, which come in slices; the event loop goes on between two. Sealed
 * like everything in Redis (ADR 0023). A node that did not answer in full, or cannot be reached, is
 * named: an answer is never taken for complete because somebody was silent.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { NodeList } from '../../authority/nodes/node-list.js';
import { monotonicMs, wallMs } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import { newId } from '../../platform/ids.js';
import { NodeIdentity } from '../../platform/node-identity.js';
import { Repetitions } from '../../platform/repetitions.js';
import { RedisMessages } from '../../platform/stores/redis/redis-messages.js';
import type { ShapeCheck } from '../../platform/stores/redis/redis-messages.js';
import { RedisNames } from '../../platform/stores/redis/redis-names.js';
import { RedisConnections } from '../../platform/stores/redis/redis.js';
import { readQuestion, readSlice } from './bus-shapes.js';
import type { Question, QuestionKind, Slice } from './bus-shapes.js';

export const ANSWER_WITHIN_MS = 500;
/** Two clocks that are each up to 5 s off (authority/clocks.ts), and the way through Redis. */
const LATE_MS = 15_000;
/** Questions of this node that wait for answers. */
const PENDING_MAX = 32;
/** Questions of others that wait here; the asker finds this node silent. */
const WAITING_MAX = 64;
/** Items that a node may answer. */
const ITEMS_MAX = 1_000;

/** Answers in slices, each small enough for one turn of the event loop. */
export type Answerer = (body: unknown) => Iterable<unknown[]> | AsyncIterable<unknown[]>;

export interface Answers<T> {
  /** By node; the whole answer of each. */
  readonly byNode: ReadonlyMap<string, T[]>;
  /** Nodes that did not answer in full. */
  readonly partial: string[];
}

interface AskOptions {
  readonly only?: string | undefined;
  readonly withinMs?: number;
}

interface Pending {
  readonly read: ShapeCheck<unknown>;
  readonly slices: Map<string, { next: number; items: unknown[] }>;
  readonly missing: Set<string>;
  done: () => void;
}

@Injectable()
export class NodeBus implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(NodeBus.name);
  private readonly answerers = new Map<QuestionKind, Answerer>();
  private readonly pending = new Map<string, Pending>();
  private readonly repetitions = new Repetitions();
  private readonly waiting: { question: Question; from: string; untilMs: number }[] = [];
  private answering = false;
  private subscriber: Redis | null = null;

  constructor(
    private readonly redis: RedisConnections,
    private readonly names: RedisNames,
    private readonly messages: RedisMessages,
    private readonly identity: NodeIdentity,
    private readonly nodes: NodeList,
  ) {}

  /** Called once for each kind, while the node starts. */
  answer(kind: QuestionKind, answerer: Answerer): void {
    this.answerers.set(kind, answerer);
  }

  onApplicationBootstrap(): void {
    const subscriber = (this.subscriber = this.redis.subscriber('nodes', { sharded: false }));
    const questions = this.names.questions;
    const answers = this.names.answers(this.identity.id);
    subscriber.on('messageBuffer', (channel: Buffer, box: Buffer) => {
      const name = channel.toString('latin1');
      if (name === questions && !this.messages.isOwn(box)) this.receiveQuestion(box);
      else if (name === answers) this.receiveSlice(box);
    });
    subscriber.on(
      'ready',
      () => void subscriber.subscribe(questions, answers).catch(() => undefined),
    );
    void subscriber.connect().catch(() => undefined);
  }

  /** `read` checks each item; a node whose items it does not know counts as silent. */
  async ask<T>(
    kind: QuestionKind,
    bodyFor: (nodes: number) => unknown,
    read: ShapeCheck<T>,
    { only, withinMs = ANSWER_WITHIN_MS }: AskOptions = {},
  ): Promise<Answers<T>> {
    if (this.pending.size >= PENDING_MAX)
      throw new DomainError('overloaded', { retryAfterMs: ANSWER_WITHIN_MS });
    const { id: own } = this.identity;
    const others = (await this.nodes.others()).filter((id) => only === undefined || id === only);
    const isOwn = only === undefined || only === own;
    const body = bodyFor(others.length + (isOwn ? 1 : 0));
    const byNode = new Map<string, T[]>();
    const asked =
      others.length === 0
        ? undefined
        : this.askOthers({ kind, body, to: only ?? null }, others, { read, withinMs });
    if (isOwn) byNode.set(own, (await this.itemsOf(kind, body)) as T[]);
    for (const [node, items] of (await asked) ?? []) byNode.set(node, items as T[]);
    return { byNode, partial: others.filter((id) => !byNode.has(id)) };
  }

  private async itemsOf(kind: QuestionKind, body: unknown): Promise<unknown[]> {
    const items: unknown[] = [];
    for await (const slice of this.answerers.get(kind)!(body)) {
      items.push(...slice);
      await nextTurn();
    }
    return items;
  }

  /** The answers that came in full. */
  private async askOthers(
    asked: Omit<Question, 'id'>,
    others: string[],
    { read, withinMs }: { read: ShapeCheck<unknown>; withinMs: number },
  ): Promise<Map<string, unknown[]>> {
    if (this.subscriber?.status !== 'ready') return new Map();
    const question: Question = { id: newId(), ...asked };
    const pending: Pending = {
      read,
      slices: new Map(others.map((id) => [id, { next: 0, items: [] }])),
      missing: new Set(others),
      done: () => undefined,
    };
    this.pending.set(question.id, pending);
    const over = new Promise<void>((resolve) => {
      pending.done = resolve;
      setTimeout(resolve, withinMs).unref();
    });
    const heard = await this.redis.attempt('question', (redis) =>
      redis.publish(this.names.questions, this.messages.write('question', '', question)),
    );
    if (heard !== undefined) await over;
    this.pending.delete(question.id);
    return new Map(
      [...pending.slices]
        .filter(([id]) => !pending.missing.has(id))
        .map(([id, { items }]) => [id, items]),
    );
  }

  private receiveSlice(box: Buffer): void {
    this.messages.receive('answer', this.identity.id, box, readSlice, ({ sender, value }) => {
      const pending = this.pending.get(value.question);
      // Too late, or a copy of what came before.
      if (pending === undefined || !pending.missing.has(sender)) return;
      const answer = pending.slices.get(sender)!;
      const items = value.items.map(pending.read);
      if (value.n !== answer.next || items.includes(undefined)) return;
      if (answer.items.length + items.length > ITEMS_MAX) return;
      answer.next += 1;
      answer.items.push(...items);
      if (value.last) pending.missing.delete(sender);
      if (pending.missing.size === 0) pending.done();
    });
  }

  private receiveQuestion(box: Buffer): void {
    this.messages.receive(
      'question',
      '',
      box,
      readQuestion,
      ({ sender, number, atMs, value: question }) => {
        if (wallMs() - atMs > LATE_MS || !this.repetitions.isNew(sender, number))
          return void this.messages.ignore('question', 'late');
        if (question.to !== null && question.to !== this.identity.id) return;
        if (this.waiting.length >= WAITING_MAX) return;
        const untilMs = monotonicMs() + ANSWER_WITHIN_MS;
        this.waiting.push({ question, from: sender, untilMs });
        if (!this.answering) void this.answerWaiting();
      },
    );
  }

  /** One question at a time: what others ask takes no more than a part of each turn. */
  private async answerWaiting(): Promise<void> {
    this.answering = true;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      // Nobody waits for it any more.
      if (monotonicMs() > next.untilMs) continue;
      try {
        await this.answerOne(next.question, next.from);
      } catch (error) {
        this.logger.warn({
          msg: 'a question of another node could not be answered',
          kind: next.question.kind,
          error: (error as Error).message,
        });
      }
    }
    this.answering = false;
  }

  private async answerOne({ id, kind, body }: Question, from: string): Promise<void> {
    const send = (slice: Slice) =>
      this.redis.attempt('answer', (redis) =>
        redis.publish(this.names.answers(from), this.messages.write('answer', from, slice)),
      );
    let n = 0;
    for await (const items of this.answerers.get(kind)!(body)) {
      if (items.length > 0) void send({ question: id, n: n++, last: false, items });
      await nextTurn();
    }
    void send({ question: id, n, last: true, items: [] });
  }

  onModuleDestroy(): void {
    this.subscriber?.disconnect();
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
