/**
 * Mails over SMTP, where a server is configured. Nobody waits for one: a call that had to would
 * show by its time whether a mail was sent. A bounded number waits in memory; a server that cannot
 * be reached, or asks for patience, is tried three times. Logs name no address and no text.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import type { Transporter } from 'nodemailer';
import { setTimeout as sleep } from 'node:timers/promises';
import { Config } from '../config/config.js';
import { FairGate } from '../fair-gate.js';
import { isLoopbackHost } from '../http/loopback.js';
import { Metrics } from '../metrics.js';

export interface Mail {
  readonly kind: 'password_reset' | 'invitation';
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

const LINE = { running: 2, perKey: 2, waiting: 500, patienceMs: 120_000 };
/** Before each attempt. */
const PAUSES_MS = [0, 2_000, 10_000];
const ANSWER_MS = 10_000;
const PORTS = { 'smtp:': 587, 'smtps:': 465 } as const;

@Injectable()
export class Mailer implements OnModuleDestroy {
  private readonly logger = new Logger(Mailer.name);
  private readonly line = new FairGate(LINE);
  private readonly stopped = new AbortController();
  private transport: Promise<Transporter> | null = null;

  constructor(
    private readonly config: Config,
    private readonly metrics: Metrics,
  ) {}

  get isConfigured(): boolean {
    return this.config.mail !== null;
  }

  /** Returns at once. */
  send(mail: Mail): void {
    const outcome = this.line.run('', () => this.deliver(mail)).catch(() => 'dropped' as const);
    void outcome.then((word) => this.metrics.mails.inc({ kind: mail.kind, outcome: word }));
  }

  private async deliver(mail: Mail): Promise<'sent' | 'failed'> {
    for (const pauseMs of PAUSES_MS) {
      try {
        await sleep(pauseMs, undefined, { signal: this.stopped.signal });
        await this.attempt(mail);
        return 'sent';
      } catch (error) {
        const { code, responseCode } = error as { code?: string; responseCode?: number };
        this.logger.warn({ msg: 'a mail was not sent', kind: mail.kind, code, responseCode });
        if (this.stopped.signal.aborted || (responseCode ?? 0) >= 500) break;
      }
    }
    return 'failed';
  }

  private async attempt({ to, subject, text }: Mail): Promise<void> {
    const transport = await (this.transport ??= this.open());
    await transport.sendMail({
      from: this.config.mail!.from,
      to: { name: '', address: to },
      subject,
      text,
      // Nobody on holiday answers it.
      headers: { 'Auto-Submitted': 'auto-generated' },
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  /** In production a link goes over TLS, except to this machine. */
  private async open(): Promise<Transporter> {
    const { createTransport } = await import('nodemailer');
    const url = new URL(this.config.mail!.url);
    const secure = url.protocol === 'smtps:';
    const [user, pass] = [url.username, url.password].map(decodeURIComponent);
    return createTransport({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port) || PORTS[secure ? 'smtps:' : 'smtp:'],
      secure,
      requireTLS: !secure && this.config.production && !isLoopbackHost(url.hostname),
      ...(user === '' ? {} : { auth: { user, pass } }),
      connectionTimeout: ANSWER_MS,
      greetingTimeout: ANSWER_MS,
      socketTimeout: ANSWER_MS,
    });
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped.abort();
    (await this.transport)?.close();
  }
}
