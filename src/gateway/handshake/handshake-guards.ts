/**
 * The guards of an upgrade request, run by handshake.ts in the order of this list, with
 * an execution context of type `ws` whose client is the `Upgrade`. A guard refuses with a
 * `DomainError`, which the client receives as an HTTP answer.
 */
import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext, Provider } from '@nestjs/common';
import { AllowedOrigins } from '../../auth/guard/allowed-origins.js';
import { Cookies } from '../../auth/guard/cookies.js';
import { CredentialLoopBreaker } from '../../auth/limits/credential-loop-breaker.js';
import { AccessTokens } from '../../auth/tokens/access-token.js';
import { LeaseRounds } from '../../authority/lease/lease-rounds.js';
import { Lease } from '../../authority/lease/lease.js';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors.js';
import { toDomainError } from '../../platform/http/problem.filter.js';
import { ConnectionRegistry } from '../connection/connection-registry.js';
import { spread } from '../connection/timers/spread.js';
import { Strangers } from '../connection/strangers.js';
import { carrierOf } from './carriers.js';
import type { HeaderOutcome, Upgrade } from './upgrade.js';

const upgradeOf = (context: ExecutionContext): Upgrade => context.switchToWs().getClient<Upgrade>();

/** Refuses pages of origins that are not allowed. */
@Injectable()
export class OriginGuard implements CanActivate {
  constructor(private readonly origins: AllowedOrigins) {}

  canActivate(context: ExecutionContext): boolean {
    const { origin } = upgradeOf(context);
    if (origin !== undefined && !this.origins.allows(origin))
      throw new DomainError('origin_refused');
    return true;
  }
}

/** Refuses what is more than the node or the client's network may have. */
@Injectable()
export class CapacityGuard implements CanActivate {
  constructor(private readonly connections: ConnectionRegistry) {}

  canActivate(context: ExecutionContext): boolean {
    this.connections.requireRoomFor(upgradeOf(context).ip);
    return true;
  }
}

/**
 * Finds the credential. A header is verified at once; the other ways are verified after the
 * upgrade, because a browser cannot read an HTTP answer to it. A client without a credential needs
 * a place among the strangers.
 */
@Injectable()
export class CredentialGuard implements CanActivate {
  constructor(
    private readonly config: Config,
    private readonly cookies: Cookies,
    private readonly lease: Lease,
    private readonly rounds: LeaseRounds,
    private readonly tokens: AccessTokens,
    private readonly loops: CredentialLoopBreaker,
    private readonly strangers: Strangers,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const upgrade = upgradeOf(context);
    const { request, url, ip } = upgrade;
    upgrade.carrier = carrierOf(request, url, {
      queryToken: this.config.queryToken,
      cookies: this.cookies,
    });
    if (this.lease.isFenced()) await this.requireLease();
    if (upgrade.carrier.kind === 'header')
      upgrade.header = await this.verify(upgrade.carrier.token, upgrade);
    if (upgrade.carrier.kind === 'message') await this.strangers.place(ip);
    return true;
  }

  /** A node that stood still proves itself before it admits anybody; a fenced one refuses. */
  private async requireLease(): Promise<void> {
    await this.rounds.prove().catch(() => {
      throw new DomainError('auth_unavailable', { retryAfterMs: spread(5_000) });
    });
  }

  /** Only a client without an Origin, so none in a browser, can read why its header was refused. */
  private async verify(token: string, { ip, origin }: Upgrade): Promise<HeaderOutcome> {
    try {
      return {
        token: await this.loops.guard({ ip }, token, () => this.tokens.verifyWithKeyReload(token)),
      };
    } catch (error) {
      if (origin === undefined) throw error;
      return { refused: toDomainError(error) };
    }
  }
}

/** The guards in their order; another one is added here. */
const GUARDS = [OriginGuard, CapacityGuard, CredentialGuard];

export const HANDSHAKE_GUARDS = Symbol('HANDSHAKE_GUARDS');

export const handshakeGuards: Provider[] = [
  ...GUARDS,
  {
    provide: HANDSHAKE_GUARDS,
    useFactory: (...guards: CanActivate[]) => guards,
    inject: GUARDS,
  },
];
