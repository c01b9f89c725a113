/**
 * A tenant of a test's own on the shared two nodes, made through REST as an operator would: tests
 * run in parallel and never meet. Every call fails loudly with the problem the server answered.
 */
import { randomBytes } from 'node:crypto';
import supertest from 'supertest';
import { noteFields, noteSaid, noteTokens } from './secrets.mjs';

export interface Answer<T = any> {
  status: number;
  headers: Headers;
  body: T;
}

export interface CallOptions {
  method?: string;
  token?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
  /** Statuses the test expects; others throw. Absent: any 2xx. */
  expect?: number;
}

export const nodeA = (): string => process.env['TEST_NODE_A']!;
export const nodeB = (): string => process.env['TEST_NODE_B']!;
export const wsUrl = (base: string): string => `${base.replace(/^http/, 'ws')}/v1/ws`;
export const unique = (prefix: string): string => `${prefix}-${randomBytes(5).toString('hex')}`;

export async function call<T = any>(
  base: string,
  path: string,
  options: CallOptions = {},
): Promise<Answer<T>> {
  const {
    method = options.body === undefined ? 'GET' : 'POST',
    token,
    body,
    headers = {},
    expect,
  } = options;
  const verb = method.toLowerCase() as 'get' | 'post' | 'patch' | 'delete';
  const request = supertest(base)[verb](path).set(headers);
  if (token !== undefined) request.set('authorization', `Bearer ${token}`);
  if (body !== undefined)
    request
      .set('content-type', 'application/json')
      .send(typeof body === 'string' ? body : JSON.stringify(body));
  const { status, ok, text, headers: answered } = await request;
  noteFields(body);
  noteTokens(JSON.stringify([headers, token, text, answered]));
  if (!ok) noteSaid(text);
  if (expect === undefined ? !ok : status !== expect)
    throw new Error(`${method} ${path} answered ${status}, not ${expect ?? '2xx'}: ${text}`);
  const read = new Headers(
    Object.entries(answered).flatMap(([name, value]) =>
      [value].flat().map((item): [string, string] => [name, item]),
    ),
  );
  return { status, headers: read, body: (text === '' ? null : JSON.parse(text)) as T };
}

export interface SignedIn {
  id: string;
  email: string;
  password: string;
  token: string;
  refresh: string;
  session: string;
  tenant: string;
}

/** A long form outlives an access token of the operator: an older one is not used again. */
const OPERATOR_TOKEN_AGE_MAX_MS = 120_000;
let shared: { token: Promise<string>; sinceMs: number } | null = null;

export async function operator(base = nodeA()): Promise<string> {
  const sign = async () => {
    const body = {
      tenant: 'system',
      email: process.env['TEST_OPERATOR_EMAIL'],
      password: process.env['TEST_OPERATOR_PASSWORD'],
    };
    return (await call(base, '/v1/auth/login', { body })).body.access_token as string;
  };
  if (base !== nodeA()) return sign();
  if (shared === null || performance.now() - shared.sinceMs > OPERATOR_TOKEN_AGE_MAX_MS)
    shared = { token: sign(), sinceMs: performance.now() };
  return shared.token;
}

/** A tenant with the users named; the first is its admin unless `admin` says otherwise. */
export class World {
  private operatorSinceMs = performance.now();

  private constructor(
    readonly base: string,
    readonly tenant: { id: string; slug: string },
    private operatorToken: string,
  ) {}

  static async create(
    options: { base?: string; tenant?: Record<string, unknown> } = {},
  ): Promise<World> {
    const base = options.base ?? nodeA();
    const token = await operator(base);
    const slug = unique('t');
    const { body } = await call(base, '/v1/admin/tenants', {
      token,
      body: { slug, name: slug, ...options.tenant },
    });
    return new World(base, { id: body.id, slug: body.slug }, token);
  }

  operator(): string {
    return this.operatorToken;
  }

  async user(name: string, role: 'member' | 'admin' = 'member'): Promise<SignedIn> {
    const email = `${unique(name)}@example.com`;
    const password = `pw-${randomBytes(12).toString('base64url')}`;
    if (performance.now() - this.operatorSinceMs > OPERATOR_TOKEN_AGE_MAX_MS) {
      this.operatorToken = await operator(this.base);
      this.operatorSinceMs = performance.now();
    }
    await call(this.base, `/v1/admin/tenants/${this.tenant.id}/users`, {
      token: this.operatorToken,
      body: { email, password, name, role },
    });
    return this.login({ email, password });
  }

  async users(...names: string[]): Promise<SignedIn[]> {
    return Promise.all(names.map((name) => this.user(name)));
  }

  /** A new session of the user; on another node when asked. */
  async login(
    { email, password }: { email: string; password: string },
    base = this.base,
  ): Promise<SignedIn> {
    const { body } = await call(base, '/v1/auth/login', {
      body: { tenant: this.tenant.slug, email, password },
    });
    const me = await call(base, '/v1/me', { token: body.access_token });
    return {
      id: me.body.user_id,
      email,
      password,
      token: body.access_token,
      refresh: body.refresh_token,
      session: body.session_id,
      tenant: this.tenant.id,
    };
  }

  async room(
    owner: SignedIn,
    fields: Record<string, unknown> = {},
    members: [SignedIn, string][] = [],
  ): Promise<string> {
    const { body } = await call(this.base, '/v1/rooms', {
      token: owner.token,
      body: { name: unique('room'), visibility: 'private', ...fields },
    });
    for (const [user, role] of members)
      await call(this.base, `/v1/rooms/${body.id}/members`, {
        token: owner.token,
        body: { user: user.id, role },
      });
    return body.id as string;
  }
}
