/** The configuration of this node, and which other nodes have another one. */
import { Injectable } from '@nestjs/common';
import { rfc3339 } from '../../platform/clock.js';
import { Config } from '../../platform/config/config.js';
import type { EffectiveValue } from '../../platform/config/effective-config.js';
import { VARIABLES } from '../../platform/config/variables.js';
import { PublicUrl } from '../../auth/tokens/public-url.js';
import { Database } from '../../platform/stores/database.js';
import { NodeIdentity } from '../../platform/node-identity.js';
import type { Principal } from '../../sessions/principal.js';
import { AdminAuthorization } from '../admin-authorization.js';
import type { Configuration } from './config.schema.js';
import { ValueSeal, isOfTheInstallation } from './recorded-value.js';

interface Row {
  id: string;
  name: string;
  started_at: Date;
  key_id: string | null;
  config: Record<string, { value: string | null; mac?: string }> | null;
}

/** Of the nodes that may serve; one that is silent for longer than the longest lease does not. */
const OTHERS = `
  SELECT n.id, n.name, n.started_at, c.key_id, c.config FROM nodes n LEFT JOIN node_configurations c ON c.node = n.id
  WHERE n.id <> $1 AND n.left_at IS NULL AND n.at > clock_timestamp() - interval '31 seconds' ORDER BY n.name, n.id`;

@Injectable()
export class ReadConfig {
  private readonly seal: ValueSeal;

  constructor(
    private readonly admin: AdminAuthorization,
    private readonly config: Config,
    private readonly database: Database,
    private readonly identity: NodeIdentity,
    private readonly publicUrl: PublicUrl,
  ) {
    this.seal = new ValueSeal(config);
  }

  async read(principal: Principal): Promise<Configuration> {
    await this.admin.require(principal, 'read_config', { tenantId: null });
    const { rows } = await this.database.pool.query<Row>(OTHERS, [this.identity.id]);
    return {
      node: this.identity.id,
      items: this.config.effective.map((one) => ({
        ...one,
        value: one.name === 'PUBLIC_URL' ? this.publicUrl.value : one.value,
        meaning: VARIABLES[one.name][2],
      })),
      nodes: rows.map(({ id, name, started_at: startedAt, key_id: keyId, config }) => ({
        id,
        name,
        started_at: rfc3339(startedAt),
        differs:
          config === null
            ? null
            : this.config.effective.flatMap((mine) => this.difference(mine, keyId!, config)),
      })),
    };
  }

  private difference(
    mine: EffectiveValue,
    keyId: string,
    config: NonNullable<Row['config']>,
  ): { name: string; value: string | null; here: string | null }[] {
    const { name, value: here } = mine;
    const theirs = config[name];
    if (theirs === undefined || !isOfTheInstallation(name)) return [];
    const { value, mac = null } = theirs;
    if (this.seal.isSame(mine, { value, mac, keyId }) !== false) return [];
    return [{ name, value: mine.secret && value === here ? 'set, to another' : value, here }];
  }
}
