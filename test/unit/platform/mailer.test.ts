/** Mails go to a server that has proven its name, over TLS; other servers see no password. */
import { networkInterfaces } from 'node:os';
import { afterEach, expect, jest, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Mailer } from '../../../src/platform/mail/mailer.js';
import type { Config } from '../../../src/platform/config/config.js';
import type { Metrics } from '../../../src/platform/metrics.js';
import { OPENSSL, makeCertificate } from '../../support/certificates.js';
import { startMailbox } from '../../support/mailbox.js';
import type { Mailbox } from '../../support/mailbox.js';
import { testWith } from '../../support/needs.js';

const MAIL = { kind: 'invitation', to: 'ada@x.test', subject: 'Come in', text: 'a link' } as const;
/** Not loopback: a mail server on it counts as elsewhere. */
const elsewhere = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
let mailbox: Mailbox;

afterEach(async () => {
  jest.restoreAllMocks();
  await mailbox.stop();
});

/** The outcome as it is counted, and the code of the first attempt that failed. */
async function outcomeOf(url: string, production: boolean) {
  const outcomes: string[] = [];
  const counted = new Promise<void>((resolve) => {
    const inc = ({ outcome }: { outcome: string }) => (outcomes.push(outcome), resolve());
    const config = { mail: { url, from: 'no-reply@x.test' }, production } as unknown as Config;
    const mailer = new Mailer(config, { mails: { inc } } as unknown as Metrics);
    // One attempt is enough: its next ones would wait for seconds.
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line) => {
      outcomes.push(String((line as { code?: string }).code));
      void mailer.onModuleDestroy();
    });
    mailer.send(MAIL);
  });
  await counted;
  return outcomes;
}

testWith(OPENSSL, 'mail over TLS')(
  'a server whose certificate nobody vouches for gets no mail and no password',
  async () => {
    for (const tls of ['implicit', 'starttls'] as const) {
      mailbox = await startMailbox({ tls, pair: makeCertificate() });
      expect(await outcomeOf(mailbox.url, false)).toEqual([expect.any(String), 'failed']);
      expect([mailbox.letters, mailbox.logins]).toEqual([[], 0]);
      if (tls === 'implicit') await mailbox.stop();
    }
  },
);

testWith(
  { met: elsewhere !== undefined, reason: 'this machine has no address but loopback' },
  'mail without TLS',
)('in production a server elsewhere that offers no TLS gets no mail and no password', async () => {
  mailbox = await startMailbox({ host: elsewhere! });
  expect(await outcomeOf(mailbox.url, true)).toEqual([expect.any(String), 'failed']);
  expect([mailbox.letters, mailbox.logins]).toEqual([[], 0]);
});

test('without TLS a server on this machine is used, also in production', async () => {
  mailbox = await startMailbox();
  expect(await outcomeOf(mailbox.url, true)).toEqual(['sent']);
  expect(mailbox.letters).toMatchObject([{ to: ['ada@x.test'], secure: false }]);
});
