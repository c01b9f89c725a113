/**
 * Keys of service accounts, `wr_sk_<session>_<secret>`: each is a session, so its end, its audit
 * and its receipt are those of a session. A key is asked for in Postgres at every call: what it is
 * good for is never older than the call. Of the secret only a hash is kept.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EndReason } from '../../authority/events.js';
import { AuthorityState } from '../../authority/authority-state.js';
import { monotonicMs, wallMs } from '../../platform/clock.js';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import type { AcceptedToken } from '../../sessions/principal.js';
import { SERVICE_GENERATION, newTokenId } from '../tokens/token-id.js';

const PREFIX = 'wr_sk_';
const TEXT = /^wr_sk_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/;
/** Stands where an access token names the key that signed it. */
const NO_SIGNING_KEY = 'service-key';

export const isServiceKey = (credential: string): boolean => credential.startsWith(PREFIX);

export const isShapeOfKey = (credential: string): boolean => TEXT.test(credential);

export interface NewServiceKey {
  readonly text: string;
  readonly hash: Buffer<ArrayBuffer>;
}

/** Shown once; its hash is what `sessions.refresh_hash` keeps. */
export function newServiceKey(sessionId: string): NewServiceKey {
  const text = `${PREFIX}${sessionId.replaceAll('-', '')}_${randomBytes(32).toString('base64url')}`;
  return { text, hash: hashOf(text) };
}

const hashOf = (text: string): Buffer<ArrayBuffer> =>
  createHash('sha256').update(text).digest() as Buffer<ArrayBuffer>;

interface KeyRow {
  user_id: string;
  tenant_id: string;
  refresh_hash: Buffer;
  end_reason: EndReason | null;
  created_at: Date;
  expires_at: Date;
  user_state: string;
  tenant_state: string;
  scopes: string[];
}

@Injectable()
export class ServiceKeys {
  constructor(
    private readonly database: Database,
    private readonly state: AuthorityState,
  ) {}

  /** Throws the code with which the key is refused. */
  async accept(credential: string): Promise<AcceptedToken> {
    const [, digits, secret] = TEXT.exec(credential) ?? [];
    if (digits === undefined || secret === undefined) throw unknown('not the shape of a key');
    const sessionId = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    const [row] = await this.database.hot<KeyRow>(
      'service_key',
      `SELECT s.user_id, s.tenant_id, s.refresh_hash, s.end_reason, s.created_at, s.expires_at, u.state AS user_state, t.state AS tenant_state, u.scopes
       FROM sessions s JOIN users u ON u.id = s.user_id AND u.role = 'service' JOIN tenants t ON t.id = s.tenant_id WHERE s.id = $1`,
      [sessionId],
    );
    if (row === undefined || !timingSafeEqual(row.refresh_hash, hashOf(credential)))
      throw unknown('unknown key');
    const principal = {
      userId: row.user_id,
      tenantId: row.tenant_id,
      sessionId,
      tokenEndsAtMs: row.expires_at.getTime(),
    };
    const refuse = (code: EndReason): never => {
      throw new DomainError(code, { who: principal });
    };
    if (row.tenant_state !== 'active') refuse('tenant_disabled');
    if (row.user_state !== 'active') refuse('user_suspended');
    if (row.end_reason !== null) refuse(row.end_reason);
    const leftMs = row.expires_at.getTime() - wallMs();
    if (leftMs <= 0) refuse('session_expired');
    const verdict = this.state.verdict({
      session: sessionId,
      tenant: row.tenant_id,
      kid: NO_SIGNING_KEY,
    });
    if (verdict !== null) throw new DomainError(verdict, { who: principal });
    return {
      principal,
      kid: NO_SIGNING_KEY,
      jti: newTokenId(SERVICE_GENERATION),
      issuedAtMs: row.created_at.getTime(),
      expiresAtMs: row.expires_at.getTime(),
      deadlineMs: monotonicMs() + leftMs,
      scopes: row.scopes,
    };
  }
}

const unknown = (detail: string): DomainError => new DomainError('auth_invalid', { detail });
