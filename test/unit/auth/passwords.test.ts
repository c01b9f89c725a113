import { beforeAll, describe, expect, test } from '@jest/globals';
import { ConcurrencyGate } from '../../../src/auth/concurrency-gate.js';
import { Passwords } from '../../../src/auth/passwords.js';

describe('the gate', () => {
  test('runs at most so many at once, keeps the rest in order and refuses beyond the line', async () => {
    const gate = new ConcurrencyGate(2, 3);
    const started: number[] = [];
    const finish: (() => void)[] = [];
    const work = (i: number) => gate.run(() => (started.push(i), new Promise<void>((resolve) => finish.push(resolve))));
    const runs = [0, 1, 2, 3, 4].map(work);
    expect(started).toEqual([0, 1]);
    await expect(work(5)).rejects.toMatchObject({ code: 'overloaded', status: 503 });
    for (let i = 0; i < 5; i += 1) {
      finish[i]!();
      await runs[i];
    }
    expect(started).toEqual([0, 1, 2, 3, 4]);
  });

  test('a failure gives its place free', async () => {
    const gate = new ConcurrencyGate(1, 0);
    await expect(gate.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(gate.run(() => Promise.resolve(7))).resolves.toBe(7);
  });
});

describe('passwords', () => {
  const passwords = new Passwords();
  beforeAll(() => passwords.onModuleInit());

  test('are argon2id with 19 MiB, two passes, one lane', async () => {
    expect(await passwords.hash('correct horse')).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  test('match themselves only, in any Unicode form', async () => {
    const stored = await passwords.hash('Zo\u00eb \u{1F40E} \u5bc6\u7801');
    expect(await passwords.verify(stored, 'Zoe\u0308 \u{1F40E} \u5bc6\u7801')).toBe(true);
    expect(await passwords.verify(stored, 'zo\u00eb \u{1F40E} \u5bc6\u7801')).toBe(false);
  });

  test('of nobody never match', async () => {
    expect(await passwords.verify(null, 'correct horse')).toBe(false);
  });

  test('of more than 1024 bytes are refused before they are hashed', () => {
    expect(() => passwords.hash('\u{1F40E}'.repeat(257))).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });
});
