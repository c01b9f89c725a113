/**
 * The private Redis of `npm start` and of the tests: whichever it is, nobody but this machine
 * reaches it.
 */
import { connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { startRedis } from '../../../scripts/stores/redis.mjs';

/**
 * Of this machine like 127.0.0.1, but not the same: who listens on every interface hears it, too.
 */
const ELSEWHERE = '127.0.0.2';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const connects = (host: string, port: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) });
    const over = (opened: boolean) => {
      socket.destroy();
      resolve(opened);
    };
    socket.once('connect', () => over(true)).once('error', () => over(false));
  });

test.each(['on', 'off'])('it listens on 127.0.0.1 only; WARDROOM_JS_REDIS=%s', async (scripted) => {
  const before = process.env['WARDROOM_JS_REDIS'];
  process.env['WARDROOM_JS_REDIS'] = scripted;
  const redis = await startRedis().finally(() => {
    if (before === undefined) delete process.env['WARDROOM_JS_REDIS'];
    else process.env['WARDROOM_JS_REDIS'] = before;
  });
  stops.push(() => redis.stop());
  const { port } = new URL(redis.url);
  expect(await connects('127.0.0.1', port)).toBe(true);
  expect(await connects(ELSEWHERE, port)).toBe(false);
});
