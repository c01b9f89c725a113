import { beforeAll, describe, expect, test } from '@jest/globals';
import { Passwords } from '../../../src/auth/sign-in/passwords.js';

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
    expect(() => passwords.hash('\u{1F40E}'.repeat(257))).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });
});
