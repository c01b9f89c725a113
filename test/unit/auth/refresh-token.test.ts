import { describe, expect, test } from '@jest/globals';
import {
  isOurRefreshToken,
  mintRefreshToken,
  newRefreshFamily,
  parseRefreshToken,
  sealSuccessor,
  unsealSuccessor,
} from '../../../src/auth/tokens/refresh-token.js';
import { redactText } from '../../../src/platform/log/redact-text.js';
import { newId } from '../../../src/platform/ids.js';

const family = newRefreshFamily();
const session = newId();

describe('refresh token', () => {
  test('is read back as it was minted', () => {
    const token = mintRefreshToken(family, session, 3);
    expect(token.text).toMatch(/^wr_rt_[A-Za-z0-9_-]{92}$/);
    expect(parseRefreshToken(token.text)).toEqual({
      text: token.text,
      session,
      generation: 3,
      hash: token.hash,
    });
    expect(token.hash).toHaveLength(32);
  });

  test('is ours only with the key of its session', () => {
    const token = mintRefreshToken(family, session, 1);
    expect(isOurRefreshToken(token, family)).toBe(true);
    expect(isOurRefreshToken(token, newRefreshFamily())).toBe(false);
  });

  test('is not ours when any of its bytes is another', () => {
    const { text } = mintRefreshToken(family, session, 1);
    const bytes = Buffer.from(text.slice(6), 'base64url');
    for (let at = 1; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      const token = parseRefreshToken(`wr_rt_${changed.toString('base64url')}`);
      expect(token !== null && isOurRefreshToken(token, family)).toBe(false);
    }
  });

  test.each([
    '',
    'wr_rt_',
    `wr_rt_${'A'.repeat(91)}`,
    `wr_rt_${'A'.repeat(93)}`,
    `wr_rt_${'!'.repeat(92)}`,
    `wr_rt_${'_'.repeat(92)}`,
    `x${'A'.repeat(97)}`,
  ])('%j has not the shape', (text) => {
    expect(parseRefreshToken(text)).toBeNull();
  });

  test('no two are the same', () => {
    const texts = Array.from({ length: 1000 }, () => mintRefreshToken(family, session, 1).text);
    expect(new Set(texts).size).toBe(1000);
  });

  test('is redacted in log lines', () => {
    const { text } = mintRefreshToken(family, session, 1);
    expect(redactText(`failed with ${text}!`)).not.toContain(text.slice(6, 30));
  });
});

describe('the box of a successor', () => {
  test('opens with the token it replaces, and with no other', () => {
    const presented = mintRefreshToken(family, session, 1);
    const successor = mintRefreshToken(family, session, 2);
    const box = sealSuccessor(presented, successor);
    expect(unsealSuccessor(presented, box)).toEqual(successor);
    expect(unsealSuccessor(successor, box)).toBeNull();
    expect(unsealSuccessor(mintRefreshToken(family, session, 1), box)).toBeNull();
  });

  test('does not open when it was touched', () => {
    const presented = mintRefreshToken(family, session, 1);
    const box = sealSuccessor(presented, mintRefreshToken(family, session, 2));
    box[box.length - 1]! ^= 1;
    expect(unsealSuccessor(presented, box)).toBeNull();
  });
});
