/** Every end of a connection has a sentence that a person understands. */
import { describe, expect, test } from '@jest/globals';
import { closeSentence } from '../../../src/admin/closes/close-sentence.js';
import { CLOSE_CODES } from '@wardroom/protocol/codes';

const NOBODY = { reason: null, endedBy: null } as const;

describe('an end by the server', () => {
  test.each(Object.keys(CLOSE_CODES))('%s is one sentence with its code', (code) => {
    const text = closeSentence({ side: 'server', code, ...NOBODY });
    expect(text).toMatch(
      new RegExp(`^The server closed it with \`${code}\`: [^A-Z].{8,}[^.]\\.$`, 's'),
    );
    expect(text).not.toContain('undefined');
  });

  test('names the reason of the audit, and who ended the session', () => {
    const end = { side: 'server', code: 'session_revoked' } as const;
    expect(closeSentence({ ...end, reason: 'logout', endedBy: 'self' })).toBe(
      'The server closed it with `session_revoked`: somebody signed out of its session, by the user.',
    );
    expect(closeSentence({ ...end, reason: 'revoked', endedBy: 'another' })).toContain(
      'its session was revoked, by somebody else',
    );
  });

  test('is not explained by a session that ended afterwards', () => {
    const text = closeSentence({
      side: 'server',
      code: 'slow_consumer',
      reason: 'logout',
      endedBy: 'self',
    });
    expect(text).toContain('did not read fast enough');
    expect(text).not.toContain('user');
  });
});

test.each([
  ['client', '1000', 'The client closed it with status 1000: the client was done.'],
  ['client', '4999', 'The client closed it with status 4999.'],
  ['transport', 'reset', 'The network ended it: the TCP connection broke'],
  ['transport', 'timeout', 'The network ended it: the peer could not be reached'],
  ['transport', 'half_open', 'The client fell silent'],
] as const)('an end by the %s with %s says so', (side, code, text) => {
  expect(closeSentence({ side, code, ...NOBODY })).toContain(text);
});
