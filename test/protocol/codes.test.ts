/**
 * P7: the tables in the code are those of contract section 6, word for word, and every close reason
 * they can make fits.
 */
import { describe, expect, test } from '@jest/globals';
import { CLOSE_CODES, ERROR_CODES, LIMITS } from '@wardroom/protocol';

const ERRORS = `
422 none     invalid_request invalid_frame
400 none     two_credentials
401 none     invalid_credentials
401 login    auth_missing auth_invalid session_revoked session_expired token_reuse
401 stop     user_suspended tenant_disabled
401 refresh  token_expired token_revoked
403 none     not_a_member read_only muted role_required scope_required step_up_required guest_read_only csrf_failed origin_refused kind_refused https_required
404 none     not_found
405 none     method_not_allowed
409 none     op_conflict slug_taken email_taken last_owner identity_mismatch quota_exceeded
413 none     too_big
429 retry    rate_limited auth_loop too_many_connections too_many_subscriptions
500 retry    internal
503 retry    overloaded unavailable auth_unavailable`;

const CLOSES = `
1001 reconnect draining
1012 reconnect restarting
1002 stop      protocol_error
1003 stop      unsupported_data
1007 stop      invalid_utf8
1009 stop      too_big
1008 login     auth_missing auth_invalid session_revoked session_expired token_reuse identity_mismatch
1008 reconnect auth_timeout
1008 stop      policy_violation carrier_off
1011 retry     internal
1013 retry     auth_unavailable overloaded rate_limited auth_loop
1013 reconnect slow_consumer
4001 refresh   token_expired token_revoked
4003 stop      user_suspended tenant_disabled forbidden`;

const tableOf = (text: string) =>
  Object.fromEntries(
    text
      .trim()
      .split('\n')
      .flatMap((line) => {
        const [status, action, ...codes] = line.split(/ +/);
        return codes.map((code) => [
          code,
          { status: Number(status), action, message: expect.any(String) },
        ]);
      }),
  );

describe('codes', () => {
  test('of errors are exactly those of the contract', () => {
    expect(ERROR_CODES).toEqual(tableOf(ERRORS));
  });

  test('of closes are exactly those of the contract', () => {
    expect(CLOSE_CODES).toEqual(tableOf(CLOSES));
  });

  test.each(Object.entries(CLOSE_CODES))(
    'the reason of %s fits a close frame with the longest retry',
    (code, { action }) => {
      const reason = JSON.stringify({
        code,
        action,
        close_id: 'x'.repeat(12),
        retry_after_ms: 3_600_000,
      });
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(LIMITS.closeReasonBytes);
    },
  );
});
