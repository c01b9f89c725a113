/**
 * Keys that sign and verify access tokens. Rows in `signing_keys`; private halves wrapped by
 * SECRET_KEY. Decoded KeyObjects are kept per kid (parsing PEM at every verify costs three
 * verifies). An unknown kid makes the node read the table again, at most once a second and never
 * from the network.
 */
import { Injectable, Logger } from '@nestjs/common';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { recordAudit } from '../../audit/record-audit.js';
import { AuthorityDispatcher } from '../../authority/authority-dispatcher.js';
import { LONGEST_TOKEN_LIFE_MS } from '../../authority/authority-state.js';
import { Lease } from '../../authority/lease/lease.js';
import { monotonicMs, wallMs } from '../../platform/clock.js';
import { Config } from '../../platform/config/config.js';
import { Database } from '../../platform/stores/database.js';
import type { Tx } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import type { AuthorityEvent } from '../../authority/events.js';
import type { SigningKey as KeyRow } from '../../platform/generated/client.js';
import {
  createSigningKey,
  isWrappedByCurrent,
  unwrapSigningKey,
  wrapSigningKey,
} from './wrapped-key.js';
import type { SigningAlgorithm } from './wrapped-key.js';

/**
 * From its retirement a key verifies this long: beyond the last token it may have signed, on
 * whichever node's clock.
 */
export const VERIFIES_AFTER_RETIREMENT_MS = 2 * LONGEST_TOKEN_LIFE_MS;
const RELOAD_EVERY_MS = 1_000;
const ROWS = `
  SELECT kid, alg, public_jwk AS "publicJwk", wrapped, created_at AS "createdAt", signs_from AS "signsFrom", retired_at AS "retiredAt", withdrawn_at AS "withdrawnAt"
  FROM signing_keys`;

export interface SigningKey {
  kid: string;
  alg: SigningAlgorithm;
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
    dispatcher: AuthorityDispatcher,
    lease: Lease,
  ) {
    // A snapshot says where the log stands and nothing of keys: what was added before it is in the
    // table only.
    lease.onProven(() => this.reloadNow());
    dispatcher.register('caches', { event: (event) => this.onEvent(event) });
  }

  /**
   * At start: true when there is a key that signs and all are wrapped by the current SECRET_KEY.
   */
  async isSettled(): Promise<boolean> {
    const rows = await this.rows();
    const alive = rows.filter((row) => row.withdrawnAt === null);
    const settled =
      alive.some((row) => row.retiredAt === null) &&
      alive.every((row) => isWrappedByCurrent(row, this.config.secretKeys));
    if (settled) this.take(rows);
    return settled;
  }

  /** Else, under the lock: makes the first key. A key that no SECRET_KEY opens stops the start. */
  async start(tx: Tx): Promise<void> {
    const rows = await tx.signingKey.findMany({ where: { withdrawnAt: null } });
    if (!rows.some((row) => row.retiredAt === null)) {
      const first = await tx.signingKey.create({
        data: await createSigningKey(
          this.config.secretKeys[0]!,
          new Date(0),
          this.config.signingAlg,
        ),
      });
      recordAudit(tx, { event: 'key_created', detail: { kid: first.kid, alg: first.alg } });
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
        await tx.signingKey.update({
          where: { kid: row.kid },
          data: { wrapped: wrapSigningKey(row.kid, pkcs8, this.config.secretKeys[0]!) },
        });
      }
    }
    this.take(await tx.signingKey.findMany());
  }

  /**
   * For verifying; undefined when unknown here. Withdrawn keys are known: their tokens get their
   * own code.
   */
  find(kid: string): SigningKey | undefined {
    return this.keys.get(kid);
  }

  /**
   * The youngest key whose time to sign has come. When there is none, the eldest announced one: a
   * withdrawal was applied here before its successor's new time was read, and it only withdraws
   * once every node knows the successor.
   */
  current(): SigningKey & { privateKey: KeyObject } {
    const now = wallMs();
    const usable = [...this.keys.values()].filter(
      (key) => !key.withdrawn && key.privateKey !== null && (key.retiredAtMs ?? Infinity) > now,
    );
    usable.sort((a, b) => a.signsFromMs - b.signsFromMs);
    const key = usable.findLast(({ signsFromMs }) => signsFromMs <= now) ?? usable[0];
    if (key === undefined)
      throw new DomainError('unavailable', { detail: 'no signing key may sign' });
    return key as SigningKey & { privateKey: KeyObject };
  }

  /** RFC 7517: every key whose tokens may still be alive, also those that do not sign yet. */
  jwks(): { keys: JsonWebKey[] } {
    return {
      keys: this.listed().map((key) => ({
        ...key.publicJwk,
        kid: key.kid,
        alg: key.alg,
        use: 'sig',
      })),
    };
  }

  /** Another when `jwks` is: a kid is the thumbprint of its key. */
  jwksBasis(): string {
    return this.listed()
      .map(({ kid }) => kid)
      .join();
  }

  private listed(): SigningKey[] {
    return [...this.keys.values()].filter((key) => !key.withdrawn && mayVerify(key));
  }

  /**
   * For callers that met an unknown kid and can wait. Answers at once when the table was read
   * within the last second.
   */
  async reload(): Promise<void> {
    if (this.reloading === null && monotonicMs() - this.reloadedMs < RELOAD_EVERY_MS) return;
    await this.read().catch((error: Error) =>
      this.logger.warn({ msg: 'signing keys could not be read', error: error.message }),
    );
  }

  /**
   * At once, so that nothing is signed with a withdrawn key between the event and the answer of the
   * table.
   */
  private onEvent(event: AuthorityEvent): void {
    if (event.kind !== 'key.added' && event.kind !== 'key.withdrawn') return;
    const key = event.kind === 'key.withdrawn' ? this.keys.get(event.kid) : undefined;
    if (key !== undefined) this.keys.set(key.kid, { ...key, withdrawn: true });
    this.reloadNow();
  }

  private reloadNow(): void {
    this.again = this.reloading !== null;
    this.read().catch((error: Error) =>
      this.logger.warn({ msg: 'signing keys could not be read', error: error.message }),
    );
  }

  private read(): Promise<void> {
    this.reloading ??= this.readRows().finally(() => (this.reloading = null));
    return this.reloading;
  }

  private async readRows(): Promise<void> {
    do {
      this.again = false;
      this.reloadedMs = monotonicMs();
      this.take(await this.rows());
    } while (this.again);
  }

  private rows(): Promise<KeyRow[]> {
    return this.database.hot<KeyRow>('signing_keys', ROWS, []);
  }

  private take(rows: KeyRow[]): void {
    this.keys = new Map(rows.map((row) => [row.kid, this.decode(row)]));
  }

  private decode(row: KeyRow): SigningKey {
    const known = this.keys.get(row.kid);
    // A row read before the withdrawal committed does not bring the key back.
    const withdrawn = row.withdrawnAt !== null || known?.withdrawn === true;
    const times = {
      signsFromMs: row.signsFrom.getTime(),
      retiredAtMs: row.retiredAt?.getTime() ?? null,
      withdrawn,
    };
    if (known !== undefined) return { ...known, ...times };
    const pkcs8 = times.withdrawn ? null : unwrapSigningKey(row, this.config.secretKeys);
    if (pkcs8 === null && !times.withdrawn)
      this.logger.error({
        msg: 'a signing key was wrapped by a SECRET_KEY this node does not have: it verifies only',
        kid: row.kid,
      });
    const publicJwk = row.publicJwk as JsonWebKey;
    return {
      kid: row.kid,
      alg: row.alg as SigningAlgorithm,
      publicKey: createPublicKey({ key: publicJwk, format: 'jwk' }),
      publicJwk,
      privateKey:
        pkcs8 === null ? null : createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }),
      ...times,
    };
  }
}

/**
 * A key retired longer ago verifies nothing: whatever bears its kid now was not signed by a node.
 */
export const mayVerify = ({ retiredAtMs }: { retiredAtMs: number | null }): boolean =>
  (retiredAtMs ?? Infinity) > wallMs() - VERIFIES_AFTER_RETIREMENT_MS;

export type KeyState = 'announced' | 'signing' | 'verifying' | 'retired' | 'withdrawn';

/** The use of a row at this moment. */
export function keyState({
  signsFrom,
  retiredAt,
  withdrawnAt,
}: Pick<KeyRow, 'signsFrom' | 'retiredAt' | 'withdrawnAt'>): KeyState {
  const retiredAtMs = retiredAt?.getTime() ?? null;
  if (withdrawnAt !== null) return 'withdrawn';
  if (!mayVerify({ retiredAtMs })) return 'retired';
  if ((retiredAtMs ?? Infinity) <= wallMs()) return 'verifying';
  return signsFrom.getTime() > wallMs() ? 'announced' : 'signing';
}
