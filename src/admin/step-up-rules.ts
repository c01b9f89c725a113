/**
 * Which calls of administration need a fresh proof of the person (ADR 0041): those that end many
 * sessions, make keys, withdraw signing keys, or change the rights of somebody. To restore what was
 * stopped gives rights back. Where a call names no such thing, nobody is asked.
 */
import type { StepUp } from '../platform/http/operation.js';

export const STEP_UP = {
  always: { when: 'always', asked: () => true },
  revocation: {
    when: 'unless one session is named',
    asked: ({ session }) => session === undefined,
  },
  tenant: {
    when: 'to disable or restore the tenant, or to send its guests away',
    asked: ({ state, allow_guests: guests }) => state !== undefined || guests === false,
  },
  newUser: {
    when: 'for every role but `member`',
    asked: ({ role }) => role !== undefined && role !== 'member',
  },
  user: {
    when: 'to suspend or restore the user, or to change the role',
    asked: ({ state, role }) => state !== undefined || role !== undefined,
  },
  serviceAccount: {
    when: 'to change the scopes, or to suspend or restore the account',
    asked: ({ scopes, state }) => scopes !== undefined || state !== undefined,
  },
} as const satisfies Record<string, StepUp>;
