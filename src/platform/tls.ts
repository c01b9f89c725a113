/**
 * TLS of the public listener. A new pair of files is taken on SIGHUP, and by itself once two looks
 * have found the same: certificate and key may be replaced one after the other. Files are read, not
 * watched: it does not matter how they are replaced (rename, symbolic links of certbot or
 * Kubernetes, a network share). A connection keeps the certificate that it was opened with.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import { Config } from './config/config.js';
import { Metrics } from './metrics.js';
import { readTlsPair, tlsPair } from './config/tls-pair.js';
import type { TlsFiles, TlsPair } from './config/tls-pair.js';

const LOOK_EVERY_MS = 2_000;
const HANDSHAKE_MS = 10_000;
const SOON_MS = 14 * 86_400_000;

export const tlsOptions = ({ cert, key }: TlsPair) => ({
  cert,
  key,
  minVersion: 'TLSv1.2' as const,
  handshakeTimeout: HANDSHAKE_MS,
});

@Injectable()
export class Tls implements OnApplicationShutdown {
  private readonly logger = new Logger(Tls.name);
  private readonly files: TlsFiles | null;
  private pair: TlsPair | null;
  /** The content of the files at the last read, and at the last pair made of them. */
  private seen = '';
  private tried = '';
  private refused: string | null = null;
  private stopLooking = () => {};

  constructor(
    config: Config,
    private readonly metrics: Metrics,
  ) {
    this.files = config.tlsFiles;
    this.pair = this.files === null ? null : readTlsPair(this.files);
  }

  /** For readiness; null without TLS. */
  get detail(): { expires_at: string; refused?: string } | null {
    if (this.pair === null) return null;
    return {
      expires_at: this.pair.expiresAt.toISOString(),
      ...(this.refused === null ? {} : { refused: this.refused }),
    };
  }

  serve(server: Server): void {
    if (this.files === null || this.pair === null) return;
    // The files may have changed since the server was made.
    server.setSecureContext(tlsOptions(this.pair));
    this.use(this.pair);
    this.tried = this.seen = textOf(this.pair);
    const { files } = this;
    const onHangUp = () => void this.look(files, server, true);
    const timer = setInterval(() => void this.look(files, server, false), LOOK_EVERY_MS).unref();
    process.on('SIGHUP', onHangUp);
    this.stopLooking = () => {
      clearInterval(timer);
      process.off('SIGHUP', onHangUp);
    };
  }

  onApplicationShutdown(): void {
    this.stopLooking();
  }

  private async look(files: TlsFiles, server: Server, now: boolean): Promise<void> {
    const [cert, key] = (await Promise.all(
      [files.certFile, files.keyFile].map((path) => readFile(path, 'utf8').catch(() => '')),
    )) as [string, string];
    const text = textOf({ cert, key });
    const settled = now || text === this.seen;
    this.seen = text;
    if (!settled || (!now && text === this.tried)) return;
    this.tried = text;
    try {
      const pair = tlsPair(cert, key);
      server.setSecureContext(tlsOptions(pair));
      this.use(pair);
      this.logger.log({ msg: 'the TLS certificate was read again', expires_at: pair.expiresAt });
    } catch (error) {
      this.refused = (error as Error).message;
      this.metrics.tlsRefused.set(1);
      this.logger.error({
        msg: 'the new TLS certificate is refused, the one before stays in use',
        reason: this.refused,
        expires_at: this.pair!.expiresAt,
      });
    }
  }

  private use(pair: TlsPair): void {
    this.pair = pair;
    this.refused = null;
    this.metrics.tlsRefused.set(0);
    this.metrics.tlsExpires.set(pair.expiresAt.getTime() / 1000);
    if (pair.expiresAt.getTime() < Date.now() + SOON_MS)
      this.logger.warn({
        msg: 'the TLS certificate expires within 14 days',
        expires_at: pair.expiresAt,
      });
  }
}

const textOf = ({ cert, key }: Pick<TlsPair, 'cert' | 'key'>): string => `${cert}\0${key}`;
