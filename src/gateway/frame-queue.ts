/**
 * Frames of one connection, in order, one at a time. While a credential is verified a bounded number waits; nothing is
 * handled before. A frame that goes through the database (publish) lets the next one start as soon as its own place in
 * the commit order is taken: see `Later`.
 */
import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../platform/config.js';
import { DomainError } from '../platform/errors.js';
import { Metrics } from '../platform/metrics.js';
import { toDomainError } from '../platform/problem.filter.js';
import { ERROR_CODES, LIMITS } from '../protocol/index.js';
import type { ClientFrame, ServerFrame } from '../protocol/frames.js';
import { Authenticate } from './authenticate.js';
import type { Connection } from './connection.js';
import { FrameRequest } from './frame.guard.js';
import { FrameError, parseFrame } from './parse-frame.js';
import { TokenBucket } from './token-bucket.js';

/** An answer that comes after the commit; the next frame need not wait for it. */
export class Later {
  constructor(readonly answer: Promise<ServerFrame | undefined>) {}
}

/** Frames over the rate in a row before the connection is closed for it. */
const OVER_RATE_MAX = 300;
/** Unhandled frames of a connection, beyond which it is flooding. */
const INBOX_MAX = 1_000;

@Injectable()
export class FrameQueue {
  private readonly logger = new Logger(FrameQueue.name);

  constructor(
    private readonly config: Config,
    private readonly authenticate: Authenticate,
    private readonly metrics: Metrics,
  ) {}

  receive(connection: Connection, data: Buffer, isBinary: boolean): void {
    if (connection.state === 'closing' || connection.state === 'closed') return;
    if (isBinary) return connection.end('unsupported_data');
    if (connection.state === 'greeting' && data.length > LIMITS.authFrameBytes) return connection.end('auth_missing');
    const waiting = connection.state === 'authenticating';
    if (!waiting && !connection.handling && !connection.inbox?.length) return void this.handle(connection, data);
    const inbox = (connection.inbox ??= []);
    if (inbox.length >= (waiting ? LIMITS.waitingFrames : INBOX_MAX) || (waiting && connection.inboxBytes + data.length > LIMITS.waitingBytes)) {
      return connection.end('rate_limited', 1_000);
    }
    inbox.push(data);
    connection.inboxBytes += data.length;
    void this.drain(connection);
  }

  /** Also called when the credential that frames were waiting for is decided. */
  drain(connection: Connection): Promise<void> | undefined {
    const first = connection.handling ? undefined : this.next(connection);
    return first === undefined ? undefined : this.handle(connection, first);
  }

  private next(connection: Connection): Buffer | undefined {
    if (connection.state === 'authenticating') return undefined;
    const data = connection.inbox?.shift();
    if (data !== undefined) connection.inboxBytes -= data.length;
    return data;
  }

  /** One frame, and what comes while it is handled. Nothing waits, in the usual case, and nothing is kept for it. */
  private async handle(connection: Connection, first: Buffer): Promise<void> {
    connection.handling = true;
    try {
      for (let data: Buffer | undefined = first; data !== undefined; data = this.next(connection)) {
        const text = data.toString();
        let id: string | undefined;
        try {
          if (connection.state === 'greeting') {
            await this.first(connection, text);
            continue;
          }
          const frame = parseFrame(text);
          id = frame.id;
          if (this.overRate(connection)) continue;
          this.metrics.framesIn.inc({ type: frame.type });
          if (frame.type === 'auth' || frame.type === 'auth_refresh') await this.authenticate.again(connection, frame);
          else this.settle(connection, frame, await connection.dispatch!(new FrameRequest(frame)));
        } catch (error) {
          this.refuse(connection, error, error instanceof FrameError ? error.frameId : id);
        }
      }
    } finally {
      connection.handling = false;
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

  private settle(connection: Connection, frame: ClientFrame, result: unknown): void {
    if (result instanceof Later) {
      result.answer.then(
        (answer) => this.answer(connection, frame, answer),
        (error: unknown) => this.refuse(connection, error, frame.id),
      );
    } else this.answer(connection, frame, result as ServerFrame | undefined);
  }

  private answer(connection: Connection, frame: ClientFrame, answer: ServerFrame | undefined): void {
    if (answer !== undefined) connection.send(frame.id === undefined ? answer : Object.assign(answer, { id: frame.id }));
  }

  refuse(connection: Connection, thrown: unknown, id: string | undefined): void {
    const error = toDomainError(thrown);
    const { code, message } = error;
    if (code === 'internal') this.logger.error({ msg: 'a frame failed', connection: connection.id, error: thrown });
    this.metrics.refusals.inc({ code, via: 'frame' });
    if (code === 'invalid_frame' && (connection.invalidFrames += 1) >= LIMITS.invalidFrames) return connection.end('policy_violation');
    const detail = thrown instanceof FrameError && thrown.detail !== undefined ? ` (${thrown.detail})` : '';
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

  private overRate(connection: Connection): boolean {
    connection.frameBucket ??= new TokenBucket(this.config.frameRate);
    const waitMs = connection.frameBucket.take();
    if (waitMs === 0) {
      connection.overRate = 0;
      return false;
    }
    connection.overRate += 1;
    if (connection.overRate > OVER_RATE_MAX) connection.end('rate_limited', 5_000);
    else throw new DomainError('rate_limited', { retryAfterMs: waitMs });
    return true;
  }
}
