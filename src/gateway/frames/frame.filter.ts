/**
 * Nest's own exception filter would echo the client's payload, tokens included; ours lets the frame
 * queue answer with a code.
 */
import { Catch } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { DomainError } from '../../platform/errors.js';
import type { Connection } from '../connection/connection.js';
import type { FrameRequest } from '../connection/frame-request.js';
import { FrameQueue } from './frame-queue.js';

@Catch()
export class FrameFilter implements ExceptionFilter {
  constructor(private readonly queue: FrameQueue) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const connection = host.switchToWs().getClient<Connection>();
    const { frame } = host.switchToWs().getData<FrameRequest>();
    const error =
      thrown instanceof WsException ? new DomainError('role_required', { cause: thrown }) : thrown;
    this.queue.refuse(connection, error, frame.id);
  }
}
