/**
 * The one PUBLIC_URL of the cluster: issuer and audience of every token. The first start fixes it
 * in Postgres; a node that names another refuses to start, because its tokens would be refused
 * everywhere else.
 */
import { Injectable } from '@nestjs/common';
import { HTTPS_ONLY } from '../../platform/config/config-rules.js';
import { Config, ConfigError } from '../../platform/config/config.js';
import { Database } from '../../platform/stores/database.js';
import type { Tx } from '../../platform/stores/database.js';

const SETTING = 'public_url';
/** With PORT=0 the port is not known before the first token could be minted. */
const DEFAULT_PORT = 3000;

@Injectable()
export class PublicUrl {
  private url: string | null = null;

  constructor(
    private readonly config: Config,
    private readonly database: Database,
  ) {}

  /** Without a trailing slash. */
  get value(): string {
    if (this.url === null)
      throw new Error('PUBLIC_URL is asked for before it was read from the database');
    return this.url;
  }

  get origin(): string {
    return new URL(this.value).origin;
  }

  /** Of a proxy that strips it: `/chat` of `https://example.com/chat`, else empty. */
  get path(): string {
    return new URL(this.value).pathname.replace(/\/$/, '');
  }

  /** Cookies are Secure and carry a prefix, but for plain http on a developer's machine. */
  get https(): boolean {
    return this.value.startsWith('https:');
  }

  /** At start: true when an earlier one has decided. */
  async isSettled(): Promise<boolean> {
    const [setting] = await this.database.hot<{ value: string }>(
      'setting',
      'SELECT value FROM settings WHERE key = $1',
      [SETTING],
    );
    if (setting !== undefined) this.take(setting.value);
    return setting !== undefined;
  }

  /** Else, under the lock that lets one node at a time decide. */
  async initialise(tx: Tx): Promise<void> {
    const wanted = this.config.publicUrl ?? `http://localhost:${this.config.port || DEFAULT_PORT}`;
    await tx.setting.createMany({ data: [{ key: SETTING, value: wanted }], skipDuplicates: true });
    this.take((await tx.setting.findUniqueOrThrow({ where: { key: SETTING } })).value);
  }

  private take(value: string): void {
    if (this.config.publicUrl !== undefined && this.config.publicUrl !== value) {
      throw new Error(
        `PUBLIC_URL is ${this.config.publicUrl}, but this database was started with ${value}: every token names it. Unset PUBLIC_URL or use another database.`,
      );
    }
    if (this.config.production && !this.config.allowInsecureHttp && !value.startsWith('https:')) {
      throw new ConfigError([
        `PUBLIC_URL: ${HTTPS_ONLY}; ${this.config.publicUrl === undefined ? 'it is not set, so it would be' : 'it is'} ${value}`,
      ]);
    }
    this.url = value;
  }
}
