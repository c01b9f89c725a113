/** `/livez`: the process answers. `/readyz`: send traffic here. */
import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import * as z from 'zod';
import { HistoryReplacement } from '../authority/history-replacement.js';
import { Lease } from '../authority/lease/lease.js';
import { Drain } from '../gateway/handshake/drain.js';
import { rfc3339 } from '../platform/clock.js';
import { Operation, documentSchema } from '../platform/http/operation.js';
import { Database } from '../platform/stores/database.js';
import { RedisConnections } from '../platform/stores/redis/redis.js';
import { Tls } from '../platform/tls.js';

@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly database: Database,
    private readonly redis: RedisConnections,
    private readonly lease: Lease,
    private readonly replacement: HistoryReplacement,
    private readonly drain: Drain,
    private readonly tls: Tls,
  ) {}

  @Get('livez')
  @Operation({
    summary: 'the process answers',
    auth: 'public',
    answers: { 200: z.object({ status: z.literal('ok') }) },
  })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  @Operation({
    summary: '503 while draining, fenced, or Postgres is down',
    auth: 'public',
    answers: { 200: documentSchema, 503: documentSchema },
  })
  @HealthCheck()
  ready() {
    const say = (key: string, ok: boolean, detail = {}) =>
      ok ? this.indicators.check(key).up(detail) : this.indicators.check(key).down(detail);
    const { lastAt } = this.replacement;
    return this.health.check([
      () => say('serving', !this.drain.draining),
      () =>
        say(
          'authority',
          !this.lease.isFenced(),
          lastAt === null ? {} : { authority_history_replaced: rfc3339(lastAt) },
        ),
      async () => say('postgres', await this.database.answers()),
      // A detail: without Redis a node serves, only slower.
      () => this.indicators.check('redis').up(this.redis.health),
      // Never a reason to send traffic elsewhere: a certificate that was refused leaves the one
      // before in use.
      ...(this.tls.detail === null
        ? []
        : [() => this.indicators.check('tls').up(this.tls.detail!)]),
    ]);
  }
}
