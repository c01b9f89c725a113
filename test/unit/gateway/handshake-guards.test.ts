/** The guards of the handshake run in order, and nothing but `true` admits. */
import { expect, test } from '@jest/globals';
import type { CanActivate } from '@nestjs/common';
import { Logger } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { of } from 'rxjs';
import { Handshake } from '../../../src/gateway/handshake/handshake.js';
import type { Upgrade } from '../../../src/gateway/handshake/upgrade.js';
import { DomainError } from '../../../src/platform/errors.js';

Logger.overrideLogger(false);

interface Seen {
  /** The answer that the client received, or `upgraded`. */
  answer: string;
  destroyed: boolean;
}

/** One upgrade through these guards. */
async function upgradeThrough(
  guards: CanActivate[],
  addressOf: () => string = () => '127.0.0.1',
): Promise<Seen> {
  const seen: Seen = { answer: '', destroyed: false };
  const socket = {
    on: () => undefined,
    cork: () => undefined,
    uncork: () => undefined,
    resume: () => undefined,
    end: (text: string) => (seen.answer = text),
    destroy: () => (seen.destroyed = true),
    destroyed: false,
  };
  const server = { handleUpgrade: () => (seen.answer = 'upgraded') };
  const handshake = Object.assign(Object.create(Handshake.prototype) as object, {
    config: { allowInsecureHttp: true },
    guards,
    logger: new Logger(),
    addresses: { of: addressOf },
    audit: { refusedUpgrade: () => undefined },
    counts: { refusedUpgrade: () => undefined },
    draining: false,
  }) as unknown as Handshake;
  const request = { url: '/v1/ws', method: 'GET', headers: {} };
  await handshake.upgrade(
    server as never,
    request as unknown as IncomingMessage,
    socket as unknown as Socket,
    Buffer.alloc(0),
  );
  return seen;
}

test('guards run in order, each with the same upgrade, and the first refusal is the answer', async () => {
  const order: [string, Upgrade][] = [];
  const guard = (name: string, work: () => boolean): CanActivate => ({
    canActivate: (context) => {
      expect(context.getType()).toBe('ws');
      order.push([name, context.switchToWs().getClient<Upgrade>()]);
      return work();
    },
  });
  const refuse = (): never => {
    throw new DomainError('origin_refused');
  };
  const { answer } = await upgradeThrough([
    guard('a', () => true),
    guard('b', refuse),
    guard('c', () => true),
  ]);
  expect(order.map(([name]) => name)).toEqual(['a', 'b']);
  expect(order[0]![1]).toBe(order[1]![1]);
  expect(answer).toContain('403');
  expect(answer).toContain('origin_refused');
});

test.each([
  ['false', () => false],
  ['a promise of false', () => Promise.resolve(false)],
  ['an observable, which nobody subscribes to', () => of(true)],
])('a guard that answers %s admits nobody', async (_what, canActivate) => {
  expect((await upgradeThrough([{ canActivate }])).answer).toContain('HTTP/1.1 403');
});

test('guards that all answer true admit', async () => {
  const yes = { canActivate: () => true };
  expect((await upgradeThrough([yes, { canActivate: async () => true }])).answer).toBe('upgraded');
});

test('a fault while a request is answered ends its socket and nothing else', async () => {
  const seen = await upgradeThrough([], () => {
    throw new Error('cannot be read');
  });
  expect(seen).toEqual({ answer: '', destroyed: true });
});
