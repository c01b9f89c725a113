/** Two nodes, issuers that their tenants trust and others, and the exchange of an ID token. */
import { FakeIssuer, issuersFile } from '../support/issuer.js';
import { startCluster } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { World, call, unique } from '../support/world.js';
import type { Answer } from '../support/world.js';

interface ExchangeOptions {
  tenant?: string;
  expect?: number;
  transport?: string;
  headers?: Record<string, string>;
}

export const email = () => `${unique('user')}@example.com`;

export class ExchangeWorld {
  private constructor(
    readonly cluster: Cluster,
    readonly issuer: FakeIssuer,
    /** Trusted by the tenant, too. */
    readonly second: FakeIssuer,
    /** Another audience, ES256, and its word counts for addresses. */
    readonly strict: FakeIssuer,
    /** Trusted by nobody. */
    readonly stranger: FakeIssuer,
    readonly world: World,
    /** Trusted by `strict` only. */
    readonly other: World,
  ) {}

  static async start(): Promise<ExchangeWorld> {
    const [issuer, second, strict, stranger] = await Promise.all([
      FakeIssuer.start(),
      FakeIssuer.start(),
      FakeIssuer.start('ES256'),
      FakeIssuer.start(),
    ]);
    const [slug, otherSlug] = [unique('t'), unique('t')];
    const entries = [
      issuer.entry([slug, 'system'], {
        users: 'create',
        claims: { role: 'groups' },
        jwks_cooldown_seconds: 1,
      }),
      second.entry([slug]),
      strict.entry([otherSlug], {
        audience: ['another-client'],
        jwks_uri: `${strict.url}/keys`,
        algorithms: ['ES256'],
        claims: { email: 'mail' },
        email_verified: 'assumed',
      }),
    ];
    const cluster = await startCluster(2, {
      ISSUERS_FILE: issuersFile(entries),
      LOGIN_FAILURES_PER_MINUTE: '0',
    });
    const base = cluster.nodes[0]!.url;
    const world = await World.create({ base, tenant: { slug, allow_registration: true } });
    const other = await World.create({ base, tenant: { slug: otherSlug } });
    return new ExchangeWorld(cluster, issuer, second, strict, stranger, world, other);
  }

  get base(): string {
    return this.cluster.nodes[0]!.url;
  }

  readonly exchange = (
    idToken: string,
    { tenant = this.world.tenant.id, expect, transport, headers }: ExchangeOptions = {},
  ): Promise<Answer> => {
    const body = {
      tenant,
      id_token: idToken,
      device: 'phone',
      ...(transport === undefined ? {} : { transport }),
    };
    return call(this.base, '/v1/auth/exchange', {
      body,
      ...(expect === undefined ? {} : { expect }),
      ...(headers === undefined ? {} : { headers }),
    });
  };

  readonly codeOf = async (idToken: string, expect: number, tenant?: string): Promise<string> => {
    const { body } = await this.exchange(idToken, {
      expect,
      ...(tenant === undefined ? {} : { tenant }),
    });
    return body.code;
  };
}
