/**
 * Every denial can be explained for an hour, on any node: which rule, on which facts, at which
 * authority position. Kept in Redis, capped per node and second; the answer to the caller never
 * waits for it.
 */
import { Injectable } from '@nestjs/common';
import type { ErrorCode } from '@wardroom/protocol/codes';
import { AuditTrail } from '../audit/audit-trail.js';
import { AuthorityState } from '../authority/authority-state.js';
import { monotonicMs, wallMs } from '../platform/clock.js';
import { DomainError } from '../platform/errors.js';
import { newId } from '../platform/ids.js';
import { RedisMessages } from '../platform/stores/redis/redis-messages.js';
import { RedisNames } from '../platform/stores/redis/redis-names.js';
import { RedisConnections } from '../platform/stores/redis/redis.js';
import type { Principal } from '../sessions/principal.js';
import { readDecision } from './decision-record.js';
import type { DecisionRecord } from './decision-record.js';
import type { Facts } from './facts.js';

const KEPT_SECONDS = 3_600;
const PER_SECOND_MAX = 100;
/** Names of rooms are short, facts have a fixed size. */
const RECORD_BYTES_MAX = 16_384;

/** The answer of a ladder that refuses. */
export interface Denial {
  readonly rule: string;
  readonly code: ErrorCode;
}

@Injectable()
export class Decisions {
  private second = 0;
  private recorded = 0;

  constructor(
    private readonly redis: RedisConnections,
    private readonly names: RedisNames,
    private readonly messages: RedisMessages,
    private readonly state: AuthorityState,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Throws the refusal with its `decision_id`. `room`: as it was named; empty when the question is
   * about none.
   */
  refuse(
    principal: Principal,
    room: string,
    action: string,
    { rule, code }: Denial,
    facts: Facts,
  ): never {
    const decisionId = this.record(principal, room, action, rule, code, facts);
    throw new DomainError(code, { decisionId, denied: action, detail: `${action}: ${rule}` });
  }

  private record(
    principal: Principal,
    room: string,
    action: string,
    rule: string,
    code: ErrorCode,
    facts: Facts,
  ): string {
    const id = newId();
    this.audit.note({
      event: 'authz_fail',
      tenant: principal.tenantId,
      actor: principal.userId,
      user: principal.userId,
      session: principal.sessionId,
      detail: { room: facts.room?.id, action, rule, code, decision: id },
    });
    if (this.spend()) {
      const record: DecisionRecord = {
        id,
        at: new Date(wallMs()).toISOString(),
        tenant: principal.tenantId,
        user: principal.userId,
        session: principal.sessionId,
        room,
        action,
        rule,
        code,
        facts,
        authority_position: this.state.position,
      };
      void this.redis.attempt('decision', (redis) =>
        redis.set(
          this.names.decision(id),
          this.messages.write('decision', id, record),
          'EX',
          KEPT_SECONDS,
        ),
      );
    }
    return id;
  }

  async find(id: string): Promise<DecisionRecord | null> {
    const box = await this.redis.attempt('decision', (redis) =>
      redis.getrangeBuffer(this.names.decision(id), 0, RECORD_BYTES_MAX),
    );
    if (box === undefined || box.length === 0) return null;
    return this.messages.read('decision', id, box, readDecision)?.value ?? null;
  }

  private spend(): boolean {
    const second = Math.floor(monotonicMs() / 1000);
    if (second !== this.second) {
      this.second = second;
      this.recorded = 0;
    }
    this.recorded += 1;
    return this.recorded <= PER_SECOND_MAX;
  }
}
