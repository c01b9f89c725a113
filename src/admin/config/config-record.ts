/**
 * Records at the start of a node what it was configured with: for itself, so that nodes that differ
 * are found, and for the installation, so that a change is in the audit.
 */
import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { hostname } from 'node:os';
import { recordAudit } from '../../audit/record-audit.js';
import { Config } from '../../platform/config/config.js';
import type { EffectiveValue } from '../../platform/config/effective-config.js';
import { LOCKS } from '../../platform/stores/advisory-locks.js';
import { Database } from '../../platform/stores/database.js';
import type { Tx } from '../../platform/stores/database.js';
import type { ConfigurationValue } from '../../platform/generated/client.js';
import { NodeIdentity } from '../../platform/node-identity.js';
import { ValueSeal, isOfTheInstallation } from './recorded-value.js';

@Injectable()
export class ConfigRecord implements OnApplicationBootstrap {
  private readonly seal: ValueSeal;

  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly identity: NodeIdentity,
  ) {
    this.seal = new ValueSeal(config);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.database.transaction(async (tx) => {
      // Nodes start together: of a change that they all have, one makes the record.
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(${LOCKS.configuration}::bigint)`;
      await this.recordNode(tx);
      const known = new Map(
        (await tx.configurationValue.findMany()).map((value) => [value.name, value]),
      );
      for (const mine of this.config.effective)
        if (isOfTheInstallation(mine.name)) await this.record(tx, mine, known.get(mine.name));
    });
  }

  private async recordNode(tx: Tx): Promise<void> {
    const config = Object.fromEntries(
      this.config.effective.map((one) => {
        const { value, mac } = this.seal.record(one);
        return [one.name, mac === null ? { value } : { value, mac }];
      }),
    );
    await tx.$executeRaw`
      DELETE FROM node_configurations c WHERE NOT EXISTS (SELECT FROM nodes n WHERE n.id = c.node)`;
    const row = { name: hostname(), keyId: this.seal.keyId, config };
    const { id: node } = this.identity;
    await tx.nodeConfiguration.upsert({ where: { node }, create: { node, ...row }, update: row });
  }

  /** A variable that was never recorded, as after an upgrade, is no change. */
  private async record(
    tx: Tx,
    mine: EffectiveValue,
    known: ConfigurationValue | undefined,
  ): Promise<void> {
    const { name, value, secret } = mine;
    const same = known === undefined ? null : this.seal.isSame(mine, recordedIn(known));
    if (known !== undefined && same === true && known.keyId === this.seal.keyId) return;
    const { mac, keyId } = this.seal.record(mine);
    const row = {
      value,
      mac: mac === null ? null : Buffer.from(mac, 'hex'),
      keyId,
      node: this.identity.id,
      at: new Date(),
    };
    await tx.configurationValue.upsert({
      where: { name },
      create: { name, ...row },
      update: row,
    });
    if (known === undefined || same !== false) return;
    const to = secret && known.value === value ? 'changed' : value;
    recordAudit(tx, {
      event: 'config_changed',
      tenant: null,
      actor: null,
      detail: { name, from: known.value, to, node: this.identity.id },
    });
  }
}

const recordedIn = ({ value, mac, keyId }: ConfigurationValue) => ({
  value,
  mac: mac === null ? null : Buffer.from(mac).toString('hex'),
  keyId,
});
