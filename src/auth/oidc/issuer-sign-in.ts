/**
 * Signing in at an external issuer by redirects: the browser leaves with secrets in a sealed cookie
 * and comes back with a code. The cookie binds the answer to the browser that asked, so nobody can
 * be signed in as somebody else.
 */
import { Injectable } from '@nestjs/common';
import type { CookieOptions, Request, Response } from 'express';
import * as z from 'zod';
import { wallMs } from '../../platform/clock.js';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors.js';
import type { Tenant } from '../../platform/generated/client.js';
import { FairGate } from '../../platform/fair-gate.js';
import { networkOf } from '../../platform/http/client-address.js';
import { deriveKey, seal, unseal } from '../../platform/sealed-box.js';
import { Database } from '../../platform/stores/database.js';
import { findTenant } from '../../platform/stores/find-tenant.js';
import { isSystemTenant } from '../../platform/stores/system-tenant.js';
import { AllowedOrigins } from '../guard/allowed-origins.js';
import { readCookie } from '../guard/cookie-header.js';
import { LoginLimits } from '../limits/login-limits.js';
import type { SignInSubject } from '../limits/sign-in-subject.js';
import type { IssuedTokens } from '../tokens/issued-tokens.js';
import { PublicUrl } from '../tokens/public-url.js';
import { Exchange, exchangeSubject } from './exchange.js';
import { newSecrets } from './issuer-client.js';
import type { Identification, IssuerClient } from './issuer-client.js';
import { Issuers } from './issuers.js';
import type { BeginBody, SignInIssuers } from './issuer-sign-in.schemas.js';

/** Time for a password and a second factor at the issuer. */
const PATIENCE_MS = 600_000;
/** A person who comes back later is told so on the page that began. */
const COOKIE_MS = 6 * PATIENCE_MS;
/** With all else it fits into a cookie, of which browsers keep 4,096 bytes. */
const TO_CHARS_MAX = 1_500;
/** Of a tenant and an address. */
const TURNS = { running: 64, perKey: 4, waiting: 256, patienceMs: 10_000 };
/** The parameter of a page: the code of the reason why nobody was signed in. */
const REFUSED = 'refused';
const ABOUT = 'sign-in at an issuer';

const journeySchema = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  tenant: z.uuid(),
  issuer: z.string(),
  device: z.string().optional(),
  to: z.url(),
  untilMs: z.number(),
});
/** From the page to the issuer and back. */
export type Journey = z.infer<typeof journeySchema>;

@Injectable()
export class IssuerSignIn {
  private readonly keys: Buffer[];
  private readonly turns = new FairGate(TURNS);

  constructor(
    config: Config,
    private readonly database: Database,
    private readonly issuers: Issuers,
    private readonly exchange: Exchange,
    private readonly limits: LoginLimits,
    private readonly origins: AllowedOrigins,
    private readonly publicUrl: PublicUrl,
  ) {
    this.keys = config.secretKeys.map((secret) => deriveKey(secret, 'wardroom issuer sign-in'));
  }

  /** The buttons of a tenant; none where there is no such tenant. */
  async list(tenant: string): Promise<SignInIssuers> {
    const clients = this.offered(await findTenant(this.database, tenant));
    return { items: clients.map(({ issuer, label }) => ({ issuer, label })) };
  }

  /** The URL is for the browser, which keeps the secrets of its journey in a cookie. */
  async begin(
    { tenant: ref, issuer, device, to, fresh }: BeginBody,
    response: Response,
  ): Promise<string> {
    const target = this.pageOf(to);
    const tenant = await findTenant(this.database, ref);
    const client = this.offered(tenant).find((one) => one.issuer === issuer);
    if (tenant === null || client === undefined) throw new DomainError('not_found');
    const secrets = newSecrets();
    const url = await client.authorizationUrl(secrets, this.callback, fresh);
    const journey: Journey = {
      ...secrets,
      tenant: tenant.id,
      issuer,
      ...(device !== undefined && { device }),
      to: target,
      untilMs: wallMs() + PATIENCE_MS,
    };
    const box = seal(this.keys[0]!, Buffer.from(JSON.stringify(journey)), ABOUT);
    response.cookie(this.cookie, box.toString('base64url'), this.options(COOKIE_MS));
    return url;
  }

  /** Once. Null: this browser did not ask, or long ago. */
  takeJourney(request: Request, response: Response): Journey | null {
    const box = readCookie(request.headers.cookie, this.cookie);
    if (box === undefined) return null;
    response.cookie(this.cookie, '', this.options(0));
    for (const key of this.keys) {
      const plain = unseal(key, Buffer.from(box, 'base64url'), ABOUT);
      if (plain === null) continue;
      // That of another version is none of ours.
      return journeySchema.safeParse(JSON.parse(plain.toString('utf8'))).data ?? null;
    }
    return null;
  }

  /** `query`: as the browser brought it, with its `?`. */
  async finish(
    journey: Journey,
    query: string,
    ip: string,
    asked: SignInSubject,
  ): Promise<IssuedTokens> {
    const { tenant, issuer, device } = journey;
    asked.tenant = tenant;
    requireCode(new URLSearchParams(query), journey);
    return this.exchange.enter(
      { tenant, device, transport: 'cookie' },
      (owner) => {
        const client = this.offered(owner).find((one) => one.issuer === issuer);
        if (client === undefined) throw refusal('not offered');
        const answer = new URL(`${this.callback}${query}`);
        return this.inTurn(tenant, ip, () => client.redeem(answer, journey));
      },
      ip,
      asked,
    );
  }

  /**
   * Asks an issuer in turns, so that answers that come at once do not outrun the count. Trouble of
   * the issuer counts, too: it was asked.
   */
  private inTurn(
    tenant: string,
    ip: string,
    redeem: () => Promise<Identification>,
  ): Promise<Identification> {
    const who = exchangeSubject(tenant);
    return this.turns.run(`${tenant} ${networkOf(ip)}`, async () => {
      await this.limits.requireRoom(who, ip);
      try {
        return await redeem();
      } catch (error) {
        if (error instanceof DomainError && error.code === 'unavailable')
          await this.limits.countFailure(who, ip);
        throw error;
      }
    });
  }

  private get callback(): string {
    // In the one form that the library makes of it, too.
    return new URL(`${this.publicUrl.value}/v1/auth/issuers/callback`).href;
  }

  private get cookie(): string {
    if (!this.publicUrl.https) return 'wr_issuer';
    return this.publicUrl.path === '' ? '__Host-wr_issuer' : '__Secure-wr_issuer';
  }

  /** Lax: the issuer is another site, and its redirect has to bring the cookie. */
  private options(maxAge: number): CookieOptions {
    return {
      // A prefix __Host- forbids any other; without it a sibling domain could plant one.
      path: this.publicUrl.path || '/',
      httpOnly: true,
      maxAge,
      sameSite: 'lax',
      secure: this.publicUrl.https,
    };
  }

  /** A page that may hold a session of cookies: a path of ours, or an allowed origin. */
  private pageOf(to: string): string {
    const base = this.publicUrl.value;
    const url = URL.canParse(to, base) ? new URL(to, base) : null;
    if (
      url === null ||
      !/^https?:$/.test(url.protocol) ||
      !this.origins.allows(url.origin) ||
      url.username !== '' ||
      url.password !== '' ||
      url.href.length > TO_CHARS_MAX
    )
      throw new DomainError('invalid_request', {
        errors: [{ path: 'to', message: 'must be a path, or a page of an allowed origin' }],
      });
    // A deletion writes the whole query anew.
    if (url.searchParams.has(REFUSED)) url.searchParams.delete(REFUSED);
    return url.href;
  }

  private offered(tenant: Tenant | null): IssuerClient[] {
    return tenant === null || isSystemTenant(tenant) ? [] : this.issuers.clientsOf(tenant);
  }
}

/**
 * Whether the browser brought a code of this journey. Anybody can bring another answer: no
 * credential was presented, so it counts as no guess, and the issuer is not asked.
 */
function requireCode(answer: URLSearchParams, { state, issuer, untilMs }: Journey): void {
  const one = (name: string): string | null => {
    const [value = null, ...more] = answer.getAll(name);
    return more.length === 0 ? value : null;
  };
  const error = answer.get('error');
  if (one('state') !== state) throw refusal('the state of another journey');
  if (answer.has('iss') && one('iss') !== issuer) throw refusal('the answer of another issuer');
  if (error === 'server_error' || error === 'temporarily_unavailable')
    throw new DomainError('unavailable', { detail: error });
  if (error !== null) throw refusal(`the issuer says ${error.slice(0, 64)}`);
  if (one('code') === null) throw refusal('no code');
  if (untilMs < wallMs()) throw refusal('too long ago');
}

const refusal = (detail: string) => new DomainError('auth_invalid', { detail });

/** The page that began, with the reason why nobody was signed in. */
export function refusedAt({ to }: Journey, { code }: DomainError): string {
  const page = new URL(to);
  page.searchParams.set(REFUSED, code);
  return page.href;
}
