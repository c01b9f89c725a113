/**
 * ES256 keys that sign and verify access tokens. Rows in `signing_keys`; private halves wrapped by SECRET_KEY. Decoded
 * KeyObjects are kept per kid (parsing PEM at every verify costs three verifies). An unknown kid makes the node read the
 * table again, at most once a second and never from the network.
 */
import { Injectable, Logger } from '@nestjs/common';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { noteAudit } from '../audit/note-audit.js';
import { AuthorityState, LONGEST_TOKEN_LIFE_MS } from '../authority/authority-state.js';
import { monotonicMs, wallMs } from '../platform/clock.js';
import { Config } from '../platform/config.js';
import { Database } from '../platform/database.js';
import type { Tx } from '../platform/database.js';
import { DomainError } from '../platform/errors.js';
import type { SigningKey as KeyRow } from '../platform/generated/client.js';
import { createSigningKey, isWrappedByCurrent, unwrapSigningKey, wrapSigningKey } from './wrapped-key.js';

export const SIGNING_ALGORITHM = 'ES256';
const RELOAD_EVERY_MS = 1_000;

export interface SigningKey {
  kid: string;
  publicKey: KeyObject;
  publicJwk: JsonWebKey;
  /** Null: wrapped by a SECRET_KEY that this node was not given; it verifies and does not sign. */
  privateKey: KeyObject | null;
  signsFromMs: number;
  retiredAtMs: number | null;
  withdrawn: boolean;
}

@Injectable()
export class SigningKeys {
  private readonly logger = new Logger(SigningKeys.name);
  private keys = new Map<string, SigningKey>();
  private reloading: Promise<void> | null = null;
  private again = false;
  private reloadedMs = -Infinity;

  constructor(
    private readonly config: Config,
    private readonly database: Database,
    state: AuthorityState,
  ) {
    state.listen((event) => {
      if (event.kind === 'key.added' || event.kind === 'key.withdrawn') this.reloadNow();
      return 0;
    });
  }

  /** At start, under the lock: makes the first key. A key that no SECRET_KEY opens stops the start. */
  async start(tx: Tx): Promise<void> {
    const rows = await tx.signingKey.findMany({ where: { withdrawnAt: null } });
    if (!rows.some((row) => row.retiredAt === null)) {
      const first = await tx.signingKey.create({ data: await createSigningKey(this.config.secretKeys[0]!, new Date(0)) });
      noteAudit(tx, { event: 'key_created', detail: { kid: first.kid } });
      rows.push(first);
    }
    for (const row of rows) {
      const pkcs8 = unwrapSigningKey(row, this.config.secretKeys);
      if (pkcs8 === null) {
        throw new Error(
          `SECRET_KEY does not open signing key ${row.kid}: it was wrapped by another. Add the former key to the list (SECRET_KEY=current,former).`,
        );
      }
      if (!isWrappedByCurrent(row, this.config.secretKeys)) {
        await tx.signingKey.update({ where: { kid: row.kid }, data: { wrapped: wrapSigningKey(row.kid, pkcs8, this.config.secretKeys[0]!) } });
      }
    }
    this.take(await tx.signingKey.findMany());
  }

  /** For verifying; undefined when unknown here. Withdrawn keys are known: their tokens get their own code. */
  find(kid: string): SigningKey | undefined {
    return this.keys.get(kid);
  }

  /** The youngest key whose time to sign has come. */
  current(): SigningKey & { privateKey: KeyObject } {
    const now = wallMs();
    let best: SigningKey | undefined;
    for (const key of this.keys.values()) {
      if (key.withdrawn || (key.retiredAtMs ?? Infinity) <= now || key.privateKey === null || key.signsFromMs > now) continue;
      if (best === undefined || key.signsFromMs > best.signsFromMs) best = key;
    }
    if (best === undefined) throw new DomainError('unavailable', { detail: 'no signing key may sign' });
    return best as SigningKey & { privateKey: KeyObject };
  }

  /** RFC 7517: every key whose tokens may still be alive, also those that do not sign yet. */
  jwks(): { keys: JsonWebKey[] } {
    const retiredAfter = wallMs() - 2 * LONGEST_TOKEN_LIFE_MS;
    const listed = [...this.keys.values()].filter((key) => !key.withdrawn && (key.retiredAtMs ?? Infinity) > retiredAfter);
    return { keys: listed.map((key) => ({ ...key.publicJwk, kid: key.kid, alg: SIGNING_ALGORITHM, use: 'sig' })) };
  }

  /** For callers that met an unknown kid and can wait. Answers at once when the table was read within the last second. */
  async reload(): Promise<void> {
    if (this.reloading === null && monotonicMs() - this.reloadedMs < RELOAD_EVERY_MS) return;
    await this.read().catch((error: Error) => this.logger.warn({ msg: 'signing keys could not be read', error: error.message }));
  }

  private reloadNow(): void {
    this.again = this.reloading !== null;
    this.read().catch((error: Error) => this.logger.warn({ msg: 'signing keys could not be read', error: error.message }));
  }

  private read(): Promise<void> {
    this.reloading ??= this.readRows().finally(() => (this.reloading = null));
    return this.reloading;
  }

  private async readRows(): Promise<void> {
    do {
      this.again = false;
      this.reloadedMs = monotonicMs();
      this.take(await this.database.prisma.signingKey.findMany());
    } while (this.again);
  }

  private take(rows: KeyRow[]): void {
    this.keys = new Map(rows.map((row) => [row.kid, this.decode(row)]));
  }

  private decode(row: KeyRow): SigningKey {
    const known = this.keys.get(row.kid);
    const times = { signsFromMs: row.signsFrom.getTime(), retiredAtMs: row.retiredAt?.getTime() ?? null, withdrawn: row.withdrawnAt !== null };
    if (known !== undefined) return { ...known, ...times };
    const pkcs8 = times.withdrawn ? null : unwrapSigningKey(row, this.config.secretKeys);
    if (pkcs8 === null && !times.withdrawn)
      this.logger.error({ msg: 'a signing key was wrapped by a SECRET_KEY this node does not have: it verifies only', kid: row.kid });
    const publicJwk = row.publicJwk as JsonWebKey;
    return {
      kid: row.kid,
      publicKey: createPublicKey({ key: publicJwk, format: 'jwk' }),
      publicJwk,
      privateKey: pkcs8 === null ? null : createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }),
      ...times,
    };
  }
}
