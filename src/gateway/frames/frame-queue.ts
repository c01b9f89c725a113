/**
 * Frames of one connection, in order, one at a time. While a credential is verified a bounded
 * number waits; nothing is handled before. A frame that goes through the database (publish) lets
 * the next one start as soon as its own place in the commit order is taken: see `DeferredReply`.
 */
import { Injectable, Logger } from '@nestjs/common';
import { ERROR_CODES, LIMITS } from '@wardroom/protocol';
import type { ClientFrame, ServerFrame } from '@wardroom/protocol';
import { TokenBucket } from '../../budgets/token-bucket.js';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors.js';
import { Metrics } from '../../platform/metrics.js';
import { toDomainError } from '../../platform/http/problem.filter.js';
import { TroubledClients } from '../../stats/troubled-clients.js';
import { Authenticate } from './authenticate.js';
import type { Connection } from '../connection/connection.js';
import { FrameInbox } from '../connection/frame-inbox.js';
import { FrameRequest } from '../connection/frame-request.js';
import { ReadTurns } from '../connection/read-turns.js';
import { FrameError, parseFrame } from './parse-frame.js';

/** An answer that comes after the commit; the next frame need not wait for it. */
export class DeferredReply {
  constructor(readonly answer: Promise<ServerFrame | undefined>) {}
}

/** A connection is closed when its frames over the rate exceed those within it by this many. */
const OVER_RATE_MAX = 300;
/** Unhandled frames of a connection, beyond which it is flooding. */
const INBOX_MAX = 1_000;

@Injectable()
export class FrameQueue {
  private readonly logger = new Logger(FrameQueue.name);
  private readonly reads = new ReadTurns();

  constructor(
    private readonly config: Config,
    private readonly authenticate: Authenticate,
    private readonly metrics: Metrics,
    private readonly clients: TroubledClients,
  ) {}

  receive(connection: Connection, data: Buffer, isBinary: boolean): void {
    if (connection.state === 'closing' || connection.state === 'closed') return;
    if (isBinary) return connection.end('unsupported_data');
    if (connection.state === 'greeting' && data.length > LIMITS.authFrameBytes)
      return connection.end('auth_missing');
    const waiting = connection.state === 'authenticating';
    const inbox = this.inboxOf(connection);
    this.reads.note(inbox, data.length);
    if (!waiting && !inbox.handling && inbox.length === 0)
      return void this.handle(connection, inbox, data);
    if (
      inbox.length >= (waiting ? LIMITS.waitingFrames : INBOX_MAX) ||
      (waiting && inbox.bytes + data.length > LIMITS.waitingBytes)
    ) {
      return connection.end('rate_limited', 1_000);
    }
    inbox.push(data);
    void this.drain(connection);
  }

  /** Counts like any frame, also before authentication; over the rate it is not answered. */
  receivePing(connection: Connection, data: Buffer): void {
    if (this.countControl(connection)) connection.pong(data);
  }

  /** The answer to our own ping is no frame of the client's own accord. */
  receivePong(connection: Connection): void {
    if (connection.times.pinged) connection.times.pinged = false;
    else this.countControl(connection);
  }

  private countControl(connection: Connection): boolean {
    if (connection.state === 'closing' || connection.state === 'closed') return false;
    this.metrics.framesIn.inc({ type: 'control' });
    const inbox = this.inboxOf(connection);
    this.reads.note(inbox, 0);
    return this.spend(connection, inbox) === 0;
  }

  private inboxOf(connection: Connection): FrameInbox {
    return (connection.inbox ??= new FrameInbox(connection.ws, this.config.frameBytesMax));
  }

  /** Also called when the credential that frames were waiting for is decided. */
  drain(connection: Connection): Promise<void> | undefined {
    const { inbox } = connection;
    if (inbox === null || inbox.handling) return undefined;
    const first = this.next(connection, inbox);
    return first === undefined ? undefined : this.handle(connection, inbox, first);
  }

  private next(connection: Connection, inbox: FrameInbox): Buffer | undefined {
    return connection.state === 'authenticating' ? undefined : inbox.shift();
  }

  /**
   * One frame, and those that come while it is handled. Usually none does, and nothing is allocated
   * for them.
   */
  private async handle(connection: Connection, inbox: FrameInbox, first: Buffer): Promise<void> {
    inbox.handling = true;
    try {
      for (
        let data: Buffer | undefined = first;
        data !== undefined;
        data = this.next(connection, inbox)
      ) {
        const text = data.toString();
        let id: string | undefined;
        try {
          if (connection.state === 'greeting') {
            await this.first(connection, text);
            continue;
          }
          const frame = parseFrame(text);
          id = frame.id;
          if (this.overRate(connection, inbox)) continue;
          this.metrics.framesIn.inc({ type: frame.type });
          if (frame.type === 'auth' || frame.type === 'auth_refresh')
            await this.authenticate.again(connection, frame);
          else this.reply(connection, frame, await connection.dispatch!(new FrameRequest(frame)));
        } catch (error) {
          this.refuse(connection, error, error instanceof FrameError ? error.frameId : id);
        }
      }
    } finally {
      inbox.handling = false;
    }
  }

  /** Nothing but `auth` is understood before authentication. */
  private async first(connection: Connection, text: string): Promise<void> {
    let frame: ClientFrame | null = null;
    try {
      frame = parseFrame(text);
    } catch {
      /* told below, without a hint about what was wrong */
    }
    this.metrics.framesIn.inc({ type: frame?.type ?? 'invalid' });
    if (frame?.type !== 'auth') return connection.end('auth_missing');
    await this.authenticate.byFrame(connection, frame);
  }

  private reply(connection: Connection, frame: ClientFrame, result: unknown): void {
    if (result instanceof DeferredReply) {
      result.answer.then(
        (answer) => this.answer(connection, frame, answer),
        (error: unknown) => this.refuse(connection, error, frame.id),
      );
    } else this.answer(connection, frame, result as ServerFrame | undefined);
  }

  private answer(
    connection: Connection,
    frame: ClientFrame,
    answer: ServerFrame | undefined,
  ): void {
    if (answer !== undefined)
      connection.send(frame.id === undefined ? answer : Object.assign(answer, { id: frame.id }));
  }

  refuse(connection: Connection, thrown: unknown, id: string | undefined): void {
    const error = toDomainError(thrown);
    const { code, message } = error;
    if (code === 'internal')
      this.logger.error({ msg: 'a frame failed', connection: connection.id, error: thrown });
    this.metrics.refusals.inc({ code, via: 'frame' });
    if (error.denied !== undefined) {
      if (error.denied === 'subscribe')
        this.clients.note('denied_subscribes', { user: connection.principal.userId });
      this.metrics.denials.inc({ action: error.denied, code });
    }
    if (
      code === 'invalid_frame' &&
      (this.inboxOf(connection).invalidFrames += 1) >= LIMITS.invalidFrames
    )
      return connection.end('policy_violation');
    connection.timeline.refused('denied', connection.ageMs, code, error.decisionId);
    const detail =
      thrown instanceof FrameError && thrown.detail !== undefined ? ` (${thrown.detail})` : '';
    connection.send({
      type: 'error',
      ...(id === undefined ? {} : { id }),
      code,
      message: `${message}${detail}`,
      action: ERROR_CODES[code].action,
      ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: error.retryAfterMs }),
      ...(error.decisionId === undefined ? {} : { decision_id: error.decisionId }),
    });
  }

  private overRate(connection: Connection, inbox: FrameInbox): boolean {
    const waitMs = this.spend(connection, inbox);
    if (waitMs === 0) return false;
    if (connection.state !== 'closing')
      throw new DomainError('rate_limited', { retryAfterMs: waitMs });
    return true;
  }

  /**
   * 0, or ms until the next frame may come. A client that goes on sending far over the rate is
   * closed.
   */
  private spend(connection: Connection, inbox: FrameInbox): number {
    const waitMs = (inbox.bucket ??= new TokenBucket(this.config.frameRate)).take();
    inbox.overRate = Math.max(0, inbox.overRate + (waitMs === 0 ? -1 : 1));
    if (inbox.overRate > OVER_RATE_MAX) connection.end('rate_limited', 5_000);
    return waitMs;
  }
}
