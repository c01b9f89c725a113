/** Lists sessions. */
import { Controller, Get } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { listedSessionPageSchema, sessionsQuerySchema } from './session-list.schema.js';
import type { ListedSessionPage, SessionsQuery } from './session-list.schema.js';
import { SessionList } from './session-list.js';

@Controller('v1/admin')
export class SessionsController {
  constructor(private readonly sessions: SessionList) {}

  @Get('sessions')
  @Operation({
    summary: 'live sessions, and for 90 days ended ones',
    answers: { 200: listedSessionPageSchema },
    errors: ['role_required', 'not_found'],
  })
  list(
    @ZodQuery(sessionsQuerySchema) query: SessionsQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ListedSessionPage> {
    return this.sessions.list(principal, query);
  }
}
