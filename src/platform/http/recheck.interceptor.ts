/**
 * The answer of a read leaves only while its caller still has the right to it: the read may have
 * waited. BearerGuard puts the check on the request, `@Operation` puts this interceptor on the
 * handler. A global interceptor would wrap every frame of the WebSockets, too, in streams that
 * nobody reads (ADR 0003).
 */
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { Request } from 'express';
import { concatMap } from 'rxjs';
import type { Observable } from 'rxjs';

export interface RecheckedRequest extends Request {
  /** Throws the refusal that is sent instead of the answer. */
  recheck?: () => void | Promise<void>;
}

export class RecheckInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<RecheckedRequest>();
    return next.handle().pipe(
      concatMap(async (answer: unknown) => {
        await request.recheck?.();
        return answer;
      }),
    );
  }
}
