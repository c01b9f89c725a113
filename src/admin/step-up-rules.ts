/**
 * Which calls of administration need a fresh proof of the person (ADR 0041): those that end many
 * sessions, make or end keys, or give rights. Where one names no such thing, nobody is asked.
 */
import type { StepUp } from '../platform/http/operation.js';

const GIVES_RIGHTS = (role: unknown): boolean => role !== undefined && role !== 'member';

export const STEP_UP = {
  always: { when: 'always', asked: () => true },
  revocation: {
    when: 'unless one session is named',
    asked: ({ session }) => session === undefined,
  },
  tenant: {
    when: 'to disable the tenant or to send its guests away',
    asked: ({ state, allow_guests: guests }) => state === 'disabled' || guests === false,
  },
  newUser: {
    when: 'for every role but `member`',
    asked: ({ role }) => GIVES_RIGHTS(role),
  },
  user: {
    when: 'to suspend the user or to give a role but `member`',
    asked: ({ state, role }) => state === 'suspended' || GIVES_RIGHTS(role),
  },
  serviceAccount: {
    when: 'to change the scopes, or to suspend the account',
    asked: ({ scopes, state }) => scopes !== undefined || state === 'suspended',
  },
} as const satisfies Record<string, StepUp>;
