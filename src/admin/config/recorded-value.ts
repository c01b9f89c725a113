/**
 * A value as it is recorded and compared. Of a secret the record has a MAC under a key derived from
 * SECRET_KEY: a change shows to a node that has the key, and to nobody else.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Config } from '../../platform/config/config.js';
import type { EffectiveValue } from '../../platform/config/effective-config.js';
import type { Name } from '../../platform/config/variables.js';
import { deriveKey } from '../../platform/sealed-box.js';

/** Nodes of one machine cannot have the same. */
const OF_A_NODE: ReadonlySet<string> = new Set(['PORT', 'INTERNAL_PORT']);

export const isOfTheInstallation = (name: string): boolean => !OF_A_NODE.has(name);

export interface RecordedValue {
  readonly value: string | null;
  /** Hex; of a secret that is set. */
  readonly mac: string | null;
  readonly keyId: string;
}

export class ValueSeal {
  private readonly keys: readonly { id: string; key: Buffer }[];

  constructor(private readonly config: Config) {
    this.keys = config.secretKeys.map((secret) => {
      const key = deriveKey(secret, 'wardroom configuration');
      return { id: createHash('sha256').update(key).digest('hex').slice(0, 16), key };
    });
  }

  get keyId(): string {
    return this.keys[0]!.id;
  }

  record({ name, value, secret }: EffectiveValue): RecordedValue {
    const mac = secret ? this.mac(name, this.keyId) : null;
    return { value, mac, keyId: this.keyId };
  }

  /** Null: recorded under a key that this node does not have, so nobody can tell. */
  isSame(
    { name, value, secret }: EffectiveValue,
    known: Omit<RecordedValue, 'node'>,
  ): boolean | null {
    if (known.value !== value) return false;
    if (!secret || known.mac === null) return true;
    const mine = this.mac(name, known.keyId);
    if (mine !== null) return mine === known.mac;
    return name === 'SECRET_KEY' ? false : null;
  }

  private mac(name: Name, keyId: string): string | null {
    const key = this.keys.find(({ id }) => id === keyId)?.key;
    const text = this.config.secretText(name);
    if (key === undefined || text === null) return null;
    return createHmac('sha256', key).update(`${name}\0${text}`).digest('hex');
  }
}
