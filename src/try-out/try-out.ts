/**
 * Signs the seeded people in without a password, describes this node, and stops its lease rounds
 * for some seconds.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { Response } from 'express';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Tokens } from '../auth/tokens/tokens.schemas.js';
import { OpenSession } from '../auth/sign-in/open-session.js';
import { SignInAudit } from '../auth/sign-in/sign-in-audit.js';
import { TokenResponse } from '../auth/sign-in/token-response.js';
import { LeaseRounds } from '../authority/lease/lease-rounds.js';
import { Lease } from '../authority/lease/lease.js';
import { Config } from '../platform/config/config.js';
import { Database } from '../platform/stores/database.js';
import { DomainError } from '../platform/errors.js';
import type { InternalRoutes } from '../platform/http/internal-server.js';
import { NodeIdentity } from '../platform/node-identity.js';
import { SYSTEM_TENANT } from '../platform/stores/system-tenant.js';
import { isLocal, isLoopbackUrl } from './local-only.js';
import type { TryNodeView, TryPerson } from './try-out.schema.js';

/** As the launcher seeds them (scripts/seed.mjs). */
const DEMO = { tenant: 'demo', room: 'lobby', domain: 'demo.test' };
const FREEZE_MS_MAX = 60_000;

@Injectable()
export class TryOut {
  private readonly logger = new Logger(TryOut.name);

  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly lease: Lease,
    private readonly rounds: LeaseRounds,
    private readonly identity: NodeIdentity,
    private readonly openSession: OpenSession,
    private readonly signIns: SignInAudit,
    private readonly answer: TokenResponse,
  ) {}

  view(): TryNodeView {
    return {
      id: this.identity.id,
      state: this.lease.isFenced() ? 'fenced' : 'serving',
      lease_ms: this.config.authorityLeaseMs,
      grace_ms: this.config.authGraceSeconds * 1000,
      tenant: DEMO.tenant,
      room: DEMO.room,
      nodes: this.config.tryNodes,
      internal_port: this.config.internalPort,
    };
  }

  /**
   * A session like any other: opened in one transaction with its audit record, and ended like any
   * other.
   */
  async signIn(person: TryPerson, response: Response): Promise<Tokens> {
    const issued = await this.signIns.record('try_out', async (asked) => {
      const user = await this.find(person);
      if (user === null)
        throw new DomainError('not_found', { detail: 'not seeded: start the node with npm start' });
      Object.assign(asked, { tenant: user.tenantId, user: user.id });
      const opened = await this.openSession.commit(user.tenantId, (tx) =>
        this.openSession.open(tx, {
          method: 'try_out',
          authenticatedAt: 'now',
          tenantId: user.tenantId,
          userId: user.id,
          passwordVersion: user.passwordVersion,
          device: 'try-out page',
          transport: 'body',
        }),
      );
      return this.openSession.issue(opened);
    });
    return this.answer.send(response, issued, 'body');
  }

  /**
   * For the internal listener: `POST /try/freeze?ms=10000` stops the rounds of this node, as if it
   * had lost its stores. A page of another port of this machine may call it.
   */
  internalRoutes(): InternalRoutes {
    return new Map([['/try/freeze', (request, response) => this.freeze(request, response)]]);
  }

  private freeze(request: IncomingMessage, response: ServerResponse): void {
    const { origin } = request.headers;
    if (origin !== undefined && isLoopbackUrl(origin))
      response.setHeader('Access-Control-Allow-Origin', origin).setHeader('Vary', 'Origin');
    const ms = Number(new URL(request.url ?? '/', 'http://internal').searchParams.get('ms'));
    if (!isLocal(request)) response.writeHead(404).end();
    else if (request.method !== 'POST') response.writeHead(405, { Allow: 'POST' }).end();
    else if (!Number.isInteger(ms) || ms < 1 || ms > FREEZE_MS_MAX) response.writeHead(422).end();
    else {
      this.logger.warn({ msg: 'lease rounds are stopped for trying out', ms });
      this.rounds.stopRoundsFor(ms);
      response
        .writeHead(200, { 'Content-Type': 'application/json' })
        .end(JSON.stringify({ frozen_ms: ms }));
    }
  }

  private find(person: TryPerson) {
    const where =
      person === 'operator'
        ? { role: 'operator', state: 'active', tenant: { slug: SYSTEM_TENANT.slug } }
        : { email: `${person}@${DEMO.domain}`, tenant: { slug: DEMO.tenant } };
    return this.database.prisma.user.findFirst({ where, orderBy: { id: 'asc' } });
  }
}
