/** A mail server of a test, over SMTP as any: it keeps the mails that it took, and can be rude. */
import { once } from 'node:events';
import { SMTPServer } from 'smtp-server';
import { noteTokens } from './secrets.mjs';

export interface Letter {
  from: string;
  to: string[];
  text: string;
}

export interface Mailbox {
  url: string;
  letters: Letter[];
  /** Answers of the next deliveries, instead of taking them. */
  refusals: { responseCode: number }[];
  /** The next letters to `to`, when they have come. */
  receive(to: string, count?: number): Promise<Letter[]>;
  stop(): Promise<void>;
}

export async function startMailbox(): Promise<Mailbox> {
  const letters: Letter[] = [];
  const refusals: Mailbox['refusals'] = [];
  const waiting = new Set<() => void>();
  const server = new SMTPServer({
    hideSTARTTLS: true,
    authOptional: true,
    onAuth: ({ username, password }, _session, done) =>
      done(username === 'post' && password === 'a-password-of-smtp' ? null : new Error('who?'), {
        user: username ?? '',
      }),
    onData(stream, { envelope }, done) {
      let text = '';
      stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      stream.once('end', () => {
        const refusal = refusals.shift();
        if (refusal !== undefined) return done(Object.assign(new Error('not now'), refusal));
        noteTokens(text);
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        letters.push({ from, to: envelope.rcptTo.map(({ address }) => address), text });
        done();
        for (const wake of waiting) wake();
      });
    },
  });
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as { port: number };
  return {
    url: `smtp://post:a-password-of-smtp@127.0.0.1:${port}`,
    letters,
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
}

/** The token of the link in a mail. */
export const tokenIn = ({ text }: Letter): string =>
  /#reset=(wr_pwr_[\w-]{43})/.exec(text.replaceAll(/=\r\n/g, '').replaceAll('=3D', '='))![1]!;
