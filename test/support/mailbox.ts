/** A mail server of a test, over SMTP as any: it keeps the mails that it took, and can be rude. */
import { once } from 'node:events';
import { SMTPServer } from 'smtp-server';
import { noteTokens } from './secrets.mjs';

export interface Letter {
  from: string;
  to: string[];
  text: string;
  /** It came over TLS. */
  secure: boolean;
}

export interface Mailbox {
  url: string;
  letters: Letter[];
  /** Answers of the next deliveries, instead of taking them. */
  refusals: { responseCode: number }[];
  /** Passwords that were shown to it. */
  logins: number;
  /** The next letters to `to`, when they have come. */
  receive(to: string, count?: number): Promise<Letter[]>;
  stop(): Promise<void>;
}

/** TLS from the first byte, by STARTTLS, or none. */
interface MailboxOptions {
  tls?: 'implicit' | 'starttls' | 'none';
  pair?: { cert: string; key: string };
  host?: string;
}

export async function startMailbox({
  tls = 'none',
  pair,
  host = '127.0.0.1',
}: MailboxOptions = {}): Promise<Mailbox> {
  const letters: Letter[] = [];
  const refusals: Mailbox['refusals'] = [];
  const waiting = new Set<() => void>();
  const server = new SMTPServer({
    secure: tls === 'implicit',
    hideSTARTTLS: tls !== 'starttls',
    ...pair,
    authOptional: true,
    onAuth: ({ username, password }, _session, done) => {
      mailbox.logins += 1;
      done(username === 'post' && password === 'a-password-of-smtp' ? null : new Error('who?'), {
        user: username ?? '',
      });
    },
    onData(stream, { envelope, secure }, done) {
      let text = '';
      stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      stream.once('end', () => {
        const refusal = refusals.shift();
        if (refusal !== undefined) return done(Object.assign(new Error('not now'), refusal));
        noteTokens(text);
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        letters.push({ from, to, text, secure });
        done();
        for (const wake of waiting) wake();
      });
    },
  });
  server.on('error', () => {});
  server.listen(0, host);
  await once(server.server, 'listening');
  const { port } = server.server.address() as { port: number };
  const mailbox: Mailbox = {
    url: `${tls === 'implicit' ? 'smtps' : 'smtp'}://post:a-password-of-smtp@${host}:${port}`,
    letters,
    logins: 0,
    refusals,
    async receive(to, count = 1) {
      const found = () => letters.filter((letter) => letter.to.includes(to));
      while (found().length < count)
        await new Promise<void>((resolve) => {
          const wake = () => (waiting.delete(wake), resolve());
          waiting.add(wake);
        });
      return found();
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return mailbox;
}

/** The token of the link in a mail. */
export const tokenIn = ({ text }: Letter): string =>
  /#reset=(wr_pwr_[\w-]{43})/.exec(text.replaceAll(/=\r\n/g, '').replaceAll('=3D', '='))![1]!;
