import { describe, expect, test } from '@jest/globals';
import type { Config } from '../../../src/platform/config/config.js';
import {
  flushIntervalMs,
  idleSecondsOf,
  markSeconds,
  sweepIntervalMs,
} from '../../../src/sessions/idle.js';

const config = (sessionIdleSeconds: number) => ({ sessionIdleSeconds }) as Config;

describe('idle time', () => {
  test('is what is configured, for guests at most an hour', () => {
    expect(idleSecondsOf(config(604_800), false)).toBe(604_800);
    expect(idleSecondsOf(config(604_800), true)).toBe(3600);
    expect(idleSecondsOf(config(60), true)).toBe(60);
  });

  test('turned off means never, but for guests', () => {
    expect(idleSecondsOf(config(Infinity), false)).toBe(0);
    expect(idleSecondsOf(config(Infinity), true)).toBe(3600);
  });

  test('is measured to a twentieth, within bounds', () => {
    expect([1, 100, 604_800, Infinity].map((idle) => flushIntervalMs(config(idle)))).toEqual([
      250, 5_000, 30_000, 30_000,
    ]);
    expect([1, 100, 604_800, Infinity].map((idle) => sweepIntervalMs(config(idle)))).toEqual([
      1_000, 5_000, 60_000, 60_000,
    ]);
  });

  test('a live mark lasts no longer than a day', () => {
    expect([0, 60, 604_800].map(markSeconds)).toEqual([86_400, 60, 86_400]);
  });
});
