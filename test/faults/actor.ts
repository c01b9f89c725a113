/**
 * One busy WebSocket client that writes down all it does and sees. It behaves as the contract tells
 * clients to: it comes back when the action says so, tries an unanswered publish again with the
 * same op_id, and subscribes from where it was.
 */
import { WebSocket } from 'ws';
import { nowMs } from './history.js';
import type { ClientRecord, History, OpRecord, SessionRecord } from './history.js';
import type { FaultNode } from './cluster.js';

export interface ActorPlan {
  session: SessionRecord;
  token: string;
  /** A new access token, or null: the session is over. */
  refresh: () => Promise<string | null>;
  node: FaultNode;
  /**
   * Loses its connection again and again and comes back to the next of these, with the same op_ids.
   */
  roams?: readonly FaultNode[];
  rooms: string[];
  staying: boolean;
  /** 0: never. */
  publishEveryMs: number;
  signalEveryMs: number;
}

const RECONNECT_MS = 150;
const REFRESH_MS = 500;
const ROAM_MS = 700;
const HANDSHAKE_MS = 1_500;
const RETRY_MS = 100;
/** Actions after which the same operation may be tried again. */
const TEMPORARY = new Set(['retry', 'reconnect']);

let actors = 0;

export class Actor {
  readonly record: ClientRecord;
  private ws: WebSocket | null = null;
  private live = false;
  private stopped = false;
  private readonly subscribed = new Set<string>();
  private readonly lastSeq = new Map<string, number>();
  private readonly pending = new Map<string, OpRecord>();
  private readonly timers: NodeJS.Timeout[] = [];
  private ops = 0;
  private token: string | null;
  private connects = 0;
  private publishing = true;
  private waiting: { test: () => boolean; resolve: () => void }[] = [];

  constructor(
    private readonly plan: ActorPlan,
    private readonly history: History,
  ) {
    actors += 1;
    const { session, node, roams, staying } = plan;
    this.token = plan.token;
    this.record = {
      id: `${session.name}@${roams === undefined ? node.name.slice(-1) : '*'}#${actors}`,
      session: session.id,
      user: session.user,
      node: node.name,
      staying,
    };
    history.clients.push(this.record);
  }

  get session(): SessionRecord {
    return this.plan.session;
  }

  seqOf(room: string): number {
    return this.lastSeq.get(room) ?? 0;
  }

  /** Resolves when subscribed everywhere; the loops run from then on. */
  async start(): Promise<void> {
    this.connect();
    await this.until(
      () => this.plan.rooms.every((room) => this.subscribed.has(room)),
      10_000,
      'subscribed',
    );
    const { publishEveryMs, signalEveryMs, roams } = this.plan;
    if (roams !== undefined)
      this.timers.push(setInterval(() => this.publishing && this.ws?.terminate(), ROAM_MS));
    if (publishEveryMs > 0)
      this.timers.push(
        setInterval(() => this.each((room) => this.begin('publish', room)), publishEveryMs),
      );
    // A signal is tried once, by who can: nobody may hear it twice.
    if (signalEveryMs > 0)
      this.timers.push(
        setInterval(
          () =>
            this.each(
              (room) => this.live && this.subscribed.has(room) && this.begin('signal', room),
            ),
          signalEveryMs,
        ),
      );
  }

  /** One publish, told apart from those of the loop. */
  publish(room: string): OpRecord {
    return this.begin('publish', room);
  }

  quiet(): void {
    this.publishing = false;
  }

  /** Every operation has its answer, or can get none any more: that one stays unknown. */
  async settled(withinMs: number): Promise<void> {
    await this.until(() => this.pending.size === 0, withinMs, 'settled').catch(() => undefined);
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers.splice(0)) clearInterval(timer);
    this.ws?.terminate();
  }

  async until(test: () => boolean, withinMs: number, what: string): Promise<void> {
    if (test()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.record.id} was not ${what} within ${withinMs} ms`)),
        withinMs,
      );
      this.waiting.push({ test, resolve: () => (clearTimeout(timer), resolve()) });
    });
  }

  private stir(): void {
    const due = this.waiting.filter(({ test }) => test());
    this.waiting = this.waiting.filter((waiter) => !due.includes(waiter));
    for (const { resolve } of due) resolve();
  }

  private each(work: (room: string) => unknown): void {
    if (this.publishing && !this.stopped) for (const room of this.plan.rooms) work(room);
  }

  private connect(): void {
    if (this.stopped) return;
    const { node, roams = [node] } = this.plan;
    const { wsUrl } = roams[this.connects % roams.length]!;
    this.connects += 1;
    const options = {
      headers: { authorization: `Bearer ${this.token}` },
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_MS,
    };
    const ws = new WebSocket(wsUrl, ['wardroom.v1'], options);
    this.ws = ws;
    ws.on('message', (data) => this.receive(ws, JSON.parse(String(data)) as Frame));
    ws.on('unexpected-response', (request, response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => {
        const { code, action } = JSON.parse(text) as Frame;
        this.ended(ws, {
          status: response.statusCode ?? 0,
          code: code ?? null,
          action: action ?? null,
        });
        request.destroy();
      });
    });
    ws.on('error', () => undefined);
    ws.on('close', (status, reason) => {
      const { code, action } = String(reason).startsWith('{')
        ? (JSON.parse(String(reason)) as Partial<Frame>)
        : {};
      this.ended(ws, { status, code: code ?? null, action: action ?? null });
    });
  }

  private ended(
    ws: WebSocket,
    close: { status: number; code: string | null; action: string | null },
  ): void {
    if (this.ws !== ws) return;
    this.ws = null;
    this.live = false;
    this.subscribed.clear();
    for (const [id, op] of this.pending) if (op.kind === 'signal') this.pending.delete(id);
    if (this.stopped) return;
    this.history.closes.push({ client: this.record.id, atMs: nowMs(), ...close });
    // Without a word (1006: crash, reset) a client comes back as after `reconnect`.
    if (close.action === null || TEMPORARY.has(close.action))
      setTimeout(() => this.connect(), RECONNECT_MS);
    else if (close.action === 'refresh') setTimeout(() => void this.comeBack(), REFRESH_MS);
    else this.over();
    this.stir();
  }

  /** Told not to come back: nothing that is unanswered will be. */
  private over(): void {
    this.stopped = true;
    this.pending.clear();
  }

  private async comeBack(): Promise<void> {
    this.token = await this.plan.refresh().catch(() => this.token);
    if (this.token !== null) return this.connect();
    this.over();
    this.stir();
  }

  private receive(ws: WebSocket, frame: Frame): void {
    if (this.ws !== ws || this.stopped) return;
    this.note(frame);
    switch (frame.type) {
      case 'auth_ok':
        this.live = true;
        for (const room of this.plan.rooms) this.subscribe(room);
        break;
      case 'subscribed':
        this.subscribed.add(frame.room!);
        if (frame.recovered !== true || !this.lastSeq.has(frame.room!))
          this.lastSeq.set(frame.room!, frame.seq!);
        for (const op of this.pending.values())
          if (op.room === frame.room && op.kind === 'publish') this.sendAgain(op);
        break;
      case 'message':
        this.lastSeq.set(frame.room!, Math.max(this.seqOf(frame.room!), frame.seq!));
        break;
      case 'ack':
        if (frame.id !== undefined) this.complete(frame.id, 'ok', null, frame.seq ?? null);
        break;
      case 'error':
        if (frame.id !== undefined) this.refused(frame.id, frame);
        break;
    }
    this.stir();
  }

  private note({ type, room, seq, sender, body, code, action, recovered, replayed }: Frame): void {
    const op = (body as { op?: string } | undefined)?.op;
    this.history.frames.push({
      client: this.record.id,
      atMs: nowMs(),
      type,
      ...(room === undefined ? {} : { room }),
      ...(seq === undefined
        ? {}
        : { seq: type === 'subscribed' && recovered === true ? seq - (replayed ?? 0) : seq }),
      ...(sender === undefined ? {} : { sender }),
      ...(op === undefined ? {} : { op }),
      ...(code === undefined ? {} : { code }),
      ...(action === undefined ? {} : { action }),
      ...(recovered === undefined ? {} : { recovered }),
    });
  }

  private subscribe(room: string): void {
    const since = this.lastSeq.get(room);
    this.write({
      type: 'subscribe',
      id: `s:${room}`,
      room,
      ...(since === undefined ? {} : { since }),
    });
  }

  private refused(id: string, { code, action }: Frame): void {
    if (id.startsWith('s:')) {
      const room = id.slice(2);
      if (TEMPORARY.has(action!)) setTimeout(() => this.live && this.subscribe(room), RETRY_MS);
      else for (const [opId, op] of this.pending) if (op.room === room) this.pending.delete(opId);
      return;
    }
    const op = this.pending.get(id);
    if (op === undefined) return;
    if (op.kind === 'publish' && TEMPORARY.has(action!)) {
      op.code = code!;
      setTimeout(() => this.sendAgain(op), RETRY_MS);
    } else this.complete(id, 'fail', code!, null);
  }

  private begin(kind: OpRecord['kind'], room: string): OpRecord {
    this.ops += 1;
    const id = `${this.record.id}-${this.ops}`;
    const at = nowMs();
    const op: OpRecord = {
      id,
      client: this.record.id,
      kind,
      room,
      invokedMs: at,
      lastInvokedMs: at,
      completedMs: null,
      outcome: 'unknown',
      code: null,
      seq: null,
    };
    this.history.ops.push(op);
    this.pending.set(id, op);
    this.sendAgain(op);
    return op;
  }

  private sendAgain(op: OpRecord): void {
    if (!this.pending.has(op.id) || !this.live || !this.subscribed.has(op.room)) return;
    op.lastInvokedMs = nowMs();
    if (op.kind === 'publish')
      this.write({ type: 'publish', id: op.id, room: op.room, op_id: op.id, body: { op: op.id } });
    else
      this.write({ type: 'signal', id: op.id, room: op.room, kind: 'fault', body: { op: op.id } });
  }

  private complete(
    id: string,
    outcome: OpRecord['outcome'],
    code: string | null,
    seq: number | null,
  ): void {
    const op = this.pending.get(id);
    if (op === undefined) return;
    this.pending.delete(id);
    // Refused after an attempt that got no clear answer: that one may be stored.
    const known = outcome === 'fail' && op.lastInvokedMs !== op.invokedMs ? 'unknown' : outcome;
    Object.assign(op, { outcome: known, code, seq, completedMs: nowMs() });
  }

  private write(frame: object): void {
    if (this.ws?.readyState === WebSocket.OPEN) this.ws.send(JSON.stringify(frame));
  }
}

interface Frame {
  type: string;
  id?: string;
  room?: string;
  seq?: number;
  sender?: string;
  body?: unknown;
  code?: string;
  action?: string;
  recovered?: boolean;
  replayed?: number;
}
