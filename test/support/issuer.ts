/**
 * An OpenID issuer on a local port: discovery, a key set that can be rotated, tokens of any shape,
 * and every misbehaviour asked for.
 */
import { createHash, randomUUID } from 'node:crypto';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
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
  /** Claims of the person who signs in there next; null: they refuse. */
  person: Record<string, unknown> | null = {};
  /** Its answer at UserInfo. */
  told: Record<string, unknown> = {};
  /** Of the client; null: a public one. */
  secret: string | null = null;
  /** The parameters of each visit to its sign-in page. */
  readonly visits: URLSearchParams[] = [];
  private readonly codes = new Map<string, URLSearchParams>();
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
    server.on('request', (request, response) => void issuer.answer(request, response));
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

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams } = new URL(request.url!, this.url);
    this.asked.set(path, this.count(path) + 1);
    const instead = this.instead.get(path);
    if (instead !== undefined) instead(response);
    else if (path === '/.well-known/openid-configuration')
      json(response, {
        issuer: this.url,
        jwks_uri: `${this.url}/keys`,
        authorization_endpoint: `${this.url}/authorize`,
        token_endpoint: `${this.url}/token`,
        userinfo_endpoint: `${this.url}/userinfo`,
        id_token_signing_alg_values_supported: ['RS256', 'ES256'],
        authorization_response_iss_parameter_supported: true,
      });
    else if (path === '/keys') json(response, { keys: this.keys.map(({ jwk }) => jwk) });
    else if (path === '/authorize') this.authorize(searchParams, response);
    else if (path === '/userinfo') json(response, this.told);
    else if (path === '/token') await this.redeem(request, response);
    else response.writeHead(404).end();
  }

  /** Nobody types: every visitor is `person`. RFC 6749, section 4.1.2; RFC 9207. */
  private authorize(asked: URLSearchParams, response: ServerResponse): void {
    this.visits.push(asked);
    const back = new URL(asked.get('redirect_uri')!);
    back.searchParams.set('state', asked.get('state')!);
    back.searchParams.set('iss', this.url);
    if (this.person === null) back.searchParams.set('error', 'access_denied');
    else {
      const code = randomUUID();
      this.codes.set(code, asked);
      back.searchParams.set('code', code);
    }
    response.writeHead(302, { location: back.href }).end();
  }

  /** RFC 6749, section 4.1.3; RFC 7636, section 4.6. A code works once. */
  private async redeem(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const form = new URLSearchParams(text);
    const asked = this.codes.get(form.get('code') ?? '');
    this.codes.delete(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    // Both are form-encoded first (RFC 6749, section 2.3.1).
    const presented = Buffer.from(
      request.headers.authorization?.replace('Basic ', '') ?? '',
      'base64',
    )
      .toString()
      .split(':')
      .map(decodeURIComponent);
    const isClient =
      this.secret === null
        ? form.get('client_id') === CLIENT_ID
        : presented[0] === CLIENT_ID && presented[1] === this.secret;
    if (!isClient) return json(response, { error: 'invalid_client' }, 401);
    if (
      asked === undefined ||
      challenge !== asked.get('code_challenge') ||
      form.get('redirect_uri') !== asked.get('redirect_uri')
    )
      return json(response, { error: 'invalid_grant' }, 400);
    json(response, {
      access_token: randomUUID(),
      token_type: 'Bearer',
      id_token: await this.idToken({ nonce: asked.get('nonce'), ...this.person }),
    });
  }
}

export const now = (): number => Math.floor(Date.now() / 1000);
export const json = (response: ServerResponse, value: unknown, status = 200): void =>
  void response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify(value));

/** For ISSUERS_FILE. */
export function issuersFile(entries: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-issuers-'));
  clean.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'issuers.json');
  writeFileSync(path, typeof entries === 'string' ? entries : JSON.stringify(entries));
  return path;
}
