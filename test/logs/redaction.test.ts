/**
 * P6: whatever shape a secret has when it is logged, it is not in the line; what is no secret is.
 */
import { describe, expect, test } from '@jest/globals';
import { NestLog, createLog } from '../../src/platform/log/log.js';

const JWT =
  'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5LXNpZ25hdHVyZQ';
const REFRESH = 'wr_rt_0190a0a0.Y2FuYXJ5LXJlZnJlc2g';
const TICKET = 'wr_tk_Y2FuYXJ5LXRpY2tldA';
const CSRF = 'wr_csrf_Y2FuYXJ5LWNzcmY';
const PASSWORD = 'canary password';
const SECRETS = [JWT, JWT.split('.')[2]!, REFRESH, TICKET, CSRF, PASSWORD];

function written(act: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = [];
  act(createLog('trace', { write: (line: string) => void lines.push(line) }));
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) JSON.parse(line);
  return lines.join('');
}

function failed(message: string, cause?: unknown): Error {
  return new Error(message, cause === undefined ? {} : { cause });
}

describe('a line of log never holds', () => {
  test.each<[string, (log: ReturnType<typeof createLog>) => void]>([
    ['a token in the message', (log) => log.info(`refused ${JWT} and ${REFRESH} and ${TICKET}`)],
    ['a token as an argument of a format', (log) => log.info('refused %s', JWT)],
    [
      'an object as an argument of a format',
      (log) => log.info('refused %j %o', { password: PASSWORD }, { why: JWT }),
    ],
    ['a token in a field', (log) => log.info({ why: `token ${JWT}` })],
    [
      'a secret field by its name',
      (log) =>
        log.info({
          user: { password: PASSWORD, Authorization: 'Basic Y2FuYXJ5', refresh_token: 'x' },
        }),
    ],
    ['a body', (log) => log.info({ body: { text: PASSWORD } })],
    ['a token deep in arrays', (log) => log.info({ a: [{ b: [{ c: [JWT] }] }] })],
    ['a token as the name of a field', (log) => log.info({ [JWT]: 1, seen: { [TICKET]: 2 } })],
    [
      'headers',
      (log) =>
        log.info({
          headers: {
            authorization: `Bearer ${JWT}`,
            cookie: `wr_at=${JWT}; wr_csrf=${CSRF}`,
            'sec-websocket-protocol': `wardroom.v1, bearer.${JWT}`,
          },
        }),
    ],
    [
      'raw headers',
      (log) =>
        log.info({
          rawHeaders: [
            'Authorization',
            `Bearer ${JWT}`,
            'Cookie',
            `wr_rt=${REFRESH}`,
            'Sec-WebSocket-Protocol',
            `wardroom.v1, bearer.${JWT}`,
          ],
        }),
    ],
    [
      'a URL in text',
      (log) =>
        log.info(`GET /v1/ws?ticket=${TICKET}&token=${JWT}&TOKEN=${PASSWORD.replace(' ', '+')}`),
    ],
    [
      'a URL object',
      (log) => log.info({ url: new URL(`http://x/v1/ws?token=${JWT}&ticket=${TICKET}`) }),
    ],
    [
      'the password of a URL',
      (log) => log.info({ url: `postgres://user:${PASSWORD.replace(' ', '@')}@host/db` }),
    ],
    ['an Error with a token in its message', (log) => log.error(failed(`bad ${JWT}`))],
    ['an Error under err', (log) => log.error({ err: failed(`bad ${JWT}`) })],
    [
      'an Error under any name, with a cause',
      (log) =>
        log.error({ error: failed('outer', failed(`inner ${REFRESH}`, { token: JWT })) }, 'failed'),
    ],
    [
      'an AggregateError',
      (log) =>
        log.error({ error: new AggregateError([failed(JWT), failed(TICKET)], 'all failed') }),
    ],
    [
      'an Error with fields of its own',
      (log) => log.error(Object.assign(failed('bad'), { body: PASSWORD, config: { token: JWT } })),
    ],
    [
      'fields of a child',
      (log) =>
        log
          .child({ why: `token ${JWT}`, password: PASSWORD, nested: { ticket: TICKET } })
          .info('hello'),
    ],
    [
      'fields of a grandchild',
      (log) =>
        log
          .child({ a: 1 })
          .child({ why: `token ${JWT}` })
          .info('hello'),
    ],
    [
      'bindings set later',
      (log) => {
        const child = log.child({});
        child.setBindings({ ticket: TICKET, why: JWT });
        child.info('hello');
      },
    ],
    [
      'bytes',
      (log) => log.info({ raw: Buffer.from(JWT), frame: new TextEncoder().encode(PASSWORD) }),
    ],
    ['what toJSON would give', (log) => log.info({ session: { toJSON: () => ({ token: JWT }) } })],
    ['what Nest logs as text', (log) => new NestLog(log).warn(`refused ${JWT}`, 'Context')],
    [
      'what Nest logs as an object',
      (log) => new NestLog(log).log({ msg: `refused ${JWT}`, ticket: TICKET }, 'Context'),
    ],
    [
      'what Nest logs as an Error',
      (log) => new NestLog(log).error(failed(`bad ${JWT}`), 'Context'),
    ],
    [
      'the stack that Nest hands over',
      (log) => new NestLog(log).error('failed', failed(`bad ${JWT}`).stack, 'Context'),
    ],
  ])('%s', (_, act) => {
    const text = written(act);
    for (const secret of SECRETS) expect(text).not.toContain(secret);
    expect(text).not.toContain('Y2FuYXJ5');
  });

  test('a cycle, and it is written all the same', () => {
    const loop: Record<string, unknown> = { token: JWT };
    loop['self'] = loop;
    expect(written((log) => log.info({ loop }))).not.toContain(JWT);
  });
});

describe('a line of log keeps', () => {
  test('ids, codes, counts and sentences', () => {
    const line = JSON.parse(
      written((log) =>
        log.info({
          msg: 'connection closed',
          code: 'slow_consumer',
          session: '0190a0a0-0000-7000-8000-000000000000',
          n: 3,
          at: new Date(0),
          none: null,
        }),
      ),
    );
    expect(line).toMatchObject({
      level: 'info',
      msg: 'connection closed',
      code: 'slow_consumer',
      session: '0190a0a0-0000-7000-8000-000000000000',
      n: 3,
      at: '1970-01-01T00:00:00.000Z',
      none: null,
    });
  });

  test('an Error with its message and stack, under one name', () => {
    const line = JSON.parse(written((log) => log.error(failed('it broke'))));
    expect(line).toMatchObject({
      msg: 'it broke',
      error: {
        type: 'Error',
        message: 'it broke',
        stack: expect.stringContaining('redaction.test'),
      },
    });
  });

  test('the rest of a URL whose credential it removed', () => {
    expect(written((log) => log.info(`GET /v1/ws?ticket=${TICKET}&auth=message`))).toContain(
      '/v1/ws?ticket=[redacted]&auth=message',
    );
  });
});
