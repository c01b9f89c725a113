/**
 * An OpenID issuer on a local port: discovery, a key set that can be rotated, tokens of any shape,
 * and every misbehaviour asked for.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';

export const CLIENT_ID = 'wardroom-client';
const clean: (() => void)[] = [];
afterAll(() => {
  for (const one of clean.splice(0)) one();
});

type Handler = (response: ServerResponse) => void;

export class FakeIssuer {
  /** How often each path was asked for. */
  readonly asked = new Map<string, number>();
  /** Instead of the usual answer, by path. */
  readonly instead = new Map<string, Handler>();
  private keys: { kid: string; alg: string; privateKey: CryptoKey; jwk: JWK }[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(alg = 'RS256'): Promise<FakeIssuer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = new FakeIssuer(
      server,
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    );
    server.on('request', (request, response) => issuer.answer(request.url ?? '', response));
    clean.push(() => issuer.stop());
    await issuer.rotate(alg);
    return issuer;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** A new key that signs from now on; the others stay listed. */
  async rotate(alg = 'RS256'): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const kid = randomUUID();
    this.keys.push({
      kid,
      alg,
      privateKey,
      jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
    });
  }

  entry(tenants: string[], more: Record<string, unknown> = {}): Record<string, unknown> {
    return { issuer: this.url, client_id: CLIENT_ID, tenants, ...more };
  }

  /** Undefined members are left out. */
  async sign(
    claims: Record<string, unknown>,
    header: Record<string, unknown> = {},
  ): Promise<string> {
    const { kid, alg, privateKey } = this.keys.at(-1)!;
    const present = Object.fromEntries(
      Object.entries({ iss: this.url, aud: CLIENT_ID, iat: now(), ...claims }).filter(
        ([, value]) => value !== undefined,
      ),
    );
    return new SignJWT(present as JWTPayload)
      .setProtectedHeader({ alg, kid, ...header })
      .sign(privateKey);
  }

  idToken(
    claims: Record<string, unknown> = {},
    header: Record<string, unknown> = {},
  ): Promise<string> {
    return this.sign(
      { sub: randomUUID(), exp: now() + 300, email_verified: true, ...claims },
      { typ: 'JWT', ...header },
    );
  }

  logoutToken(
    sub: string,
    claims: Record<string, unknown> = {},
    header: Record<string, unknown> = {},
  ): Promise<string> {
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    return this.sign(
      { sub, jti: randomUUID(), exp: now() + 120, events, ...claims },
      { typ: 'logout+jwt', ...header },
    );
  }

  /** CAEP `session-revoked`. */
  revokedEvent(
    subId: unknown,
    claims: Record<string, unknown> = {},
    header: Record<string, unknown> = {},
  ): Promise<string> {
    const events = {
      'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {
        event_timestamp: now(),
      },
    };
    return this.sign(
      { sub_id: subId, jti: randomUUID(), events, ...claims },
      { typ: 'secevent+jwt', ...header },
    );
  }

  count(path: string): number {
    return this.asked.get(path) ?? 0;
  }

  private answer(path: string, response: ServerResponse): void {
    this.asked.set(path, this.count(path) + 1);
    const instead = this.instead.get(path);
    if (instead !== undefined) instead(response);
    else if (path === '/.well-known/openid-configuration')
      json(response, { issuer: this.url, jwks_uri: `${this.url}/keys` });
    else if (path === '/keys') json(response, { keys: this.keys.map(({ jwk }) => jwk) });
    else response.writeHead(404).end();
  }
}

export const now = (): number => Math.floor(Date.now() / 1000);
export const json = (response: ServerResponse, value: unknown): void =>
  void response.setHeader('content-type', 'application/json').end(JSON.stringify(value));

/** For ISSUERS_FILE. */
export function issuersFile(entries: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-issuers-'));
  clean.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'issuers.json');
  writeFileSync(path, typeof entries === 'string' ? entries : JSON.stringify(entries));
  return path;
}
