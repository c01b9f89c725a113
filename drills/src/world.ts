/**
 * The synthetic tenant of a run: made by an operator, filled through the public API, and removed
 * when the run is over.
 */
import { newId } from '../../sdk/src/new-id.js';
import { must } from './must.js';
import type { Heard } from './wire/heard.js';
import type { Answer, Call, Transport } from './wire/transport.js';

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly tenant: string;
}

/** The answer of a login or refresh. */
export interface Tokens {
  access_token: string;
  refresh_token: string;
  session_id: string;
  expires_in: number;
  refresh_after_ms: number;
}

/** A person with one session; `fresh` replaces the tokens. */
export interface SignedIn extends Person {
  tokens: Tokens;
  /** Monotonic. */
  issuedAt: number;
}

export interface Tenant {
  readonly id: string;
  readonly slug: string;
}

/** Enough for the calls of one step. */
const LIFE_LEFT_MS = 2_000;

/** One tenant as drills see it. */
export class World {
  private constructor(
    private readonly transport: Transport,
    private readonly heard: Heard,
    private readonly operator: () => Promise<string>,
    readonly tenant: Tenant,
    private readonly made: Tenant[],
  ) {}

  /** `made` collects every tenant, so that the run can remove them. */
  static async create(
    transport: Transport,
    heard: Heard,
    operator: () => Promise<string>,
    made: Tenant[],
    accessTtlSeconds?: number,
  ): Promise<World> {
    const slug = `drill-${newId().replaceAll('-', '').slice(-12)}`;
    const token = await operator();
    const body = { slug, name: 'Drill' };
    const created = await transport.call('/v1/admin/tenants', { token, body });
    const tenant = { id: String(good(created, 'make a tenant')['id']), slug };
    made.push(tenant);
    if (accessTtlSeconds !== undefined) {
      const patch = { access_ttl_seconds: accessTtlSeconds };
      const call = { method: 'PATCH', token, body: patch };
      good(await transport.call(`/v1/admin/tenants/${tenant.id}`, call), 'shorten token lives');
    }
    return new World(transport, heard, operator, tenant, made);
  }

  /** Another tenant, for a drill that disables it. */
  another(): Promise<World> {
    return World.create(this.transport, this.heard, this.operator, this.made);
  }

  /** Two people who are signed in. */
  async pair(first: string, second: string): Promise<[SignedIn, SignedIn]> {
    return Promise.all([this.newcomer(first), this.newcomer(second)]);
  }

  async newcomer(name: string): Promise<SignedIn> {
    return this.signIn(await this.person(name));
  }

  async person(name: string): Promise<Person> {
    const email = `${name}-${newId().slice(-12)}@drill.example`;
    const password = `pw-${newId()}${newId()}`;
    this.heard.keep('password', password);
    const token = await this.operator();
    const body = { email, password, name };
    const path = `/v1/admin/tenants/${this.tenant.id}/users`;
    const { id } = good(await this.transport.call(path, { token, body }), 'make a user');
    return { id: String(id), email, password, tenant: this.tenant.slug };
  }

  async signIn(person: Person, node = 0): Promise<SignedIn> {
    const { tenant, email, password } = person;
    const body = { tenant, email, password, device: 'drill' };
    const answer = await this.transport.call('/v1/auth/login', { body, node });
    const tokens = good(answer, 'sign in') as unknown as Tokens;
    return { ...person, tokens, issuedAt: performance.now() };
  }

  /** An access token that lives for some seconds yet. */
  async fresh(person: SignedIn): Promise<string> {
    const left = person.issuedAt + person.tokens.expires_in * 1000 - performance.now();
    if (left < LIFE_LEFT_MS) {
      person.tokens = await this.refreshed(person.tokens);
      person.issuedAt = performance.now();
    }
    return person.tokens.access_token;
  }

  refresh(tokens: Tokens, node = 0): Promise<Answer> {
    const body = { refresh_token: tokens.refresh_token };
    return this.transport.call('/v1/auth/refresh', { body, node });
  }

  async refreshed(tokens: Tokens, node = 0): Promise<Tokens> {
    return good(await this.refresh(tokens, node), 'refresh') as unknown as Tokens;
  }

  /** A private room of the first; the others are members. */
  async room(owner: SignedIn, ...members: Person[]): Promise<string> {
    const token = owner.tokens.access_token;
    const body = { name: 'Drill', visibility: 'private' };
    const room = String(
      good(await this.transport.call('/v1/rooms', { token, body }), 'make a room')['id'],
    );
    for (const { id } of members) {
      const call = { token, body: { user: id, role: 'member' } };
      good(await this.transport.call(`/v1/rooms/${room}/members`, call), 'add a member');
    }
    return room;
  }

  /** Publishes through REST; answers the `seq`. */
  async publish(room: string, token: string, text: string, opId = newId()): Promise<number> {
    const call = { token, body: { body: text }, headers: { 'idempotency-key': opId } };
    const answer = await this.transport.call(`/v1/rooms/${room}/messages`, call);
    return Number(good(answer, 'publish')['seq']);
  }

  /** The stored messages, oldest first. */
  async history(room: string, token: string): Promise<{ seq: number; op_id: string }[]> {
    const all: { seq: number; op_id: string }[] = [];
    for (let after = 0; ;) {
      const path = `/v1/rooms/${room}/messages?after=${after}&limit=200`;
      const { items } = good(await this.transport.call(path, { token }), 'read the history');
      const page = items as { seq: number; op_id: string }[];
      all.push(...page);
      if (page.length === 0) return all;
      after = page.at(-1)!.seq;
    }
  }

  /** Something only an operator may. */
  async asOperator(path: string, call: Call): Promise<Answer> {
    return this.transport.call(path, { ...call, token: await this.operator() });
  }
}

/** The body of a good answer; a refusal is an error that names its code. */
export function good(answer: Answer, what: string): Readonly<Record<string, unknown>> {
  must(answer.ok, `could not ${what}: ${answer.status} ${codeOf(answer)}`);
  return answer.body ?? {};
}

/** When a token ends, by the clock of the server, ms. */
export function expiryOf(token: string): number {
  const payload = token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/');
  return (JSON.parse(atob(payload)) as { exp: number }).exp * 1000;
}

/** The code of a refusal; empty where there is none. */
export const codeOf = ({ body }: Answer): string => wordIn(body, 'code');
export const actionOf = ({ body }: Answer): string => wordIn(body, 'action');

const wordIn = (body: Answer['body'], name: string): string => {
  const value = body?.[name];
  return typeof value === 'string' ? value : '';
};

/** A receipt says that the change holds on every node. */
export function mustBeEffective(receipt: unknown): void {
  const { effective } = (receipt ?? {}) as { effective?: boolean };
  must(effective === true, `the receipt says ${JSON.stringify(receipt ?? null)}`);
}

/** A refusal with this code and action. */
export function mustRefuse(answer: Answer, code: string, action: string): void {
  const seen = `${answer.status} ${codeOf(answer)} ${actionOf(answer)}`;
  must(codeOf(answer) === code && actionOf(answer) === action, `answered ${seen.trim()}`);
}
