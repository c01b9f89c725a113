/**
 * The text a person reads when a connection ends or waits: one title and one sentence for each
 * code. Shared by every surface.
 */
import type { Action, CloseCode } from '@wardroom/protocol/codes';

export interface Sentence {
  title: string;
  text: string;
}

export const CLOSE_SENTENCES: Record<CloseCode, Sentence> = {
  draining: {
    title: 'Moving',
    text: 'This server is leaving service. You are being connected to another one.',
  },
  restarting: { title: 'Restarting', text: 'This server restarts. You are being connected again.' },
  protocol_error: {
    title: 'Stopped',
    text: 'The connection broke the rules of WebSocket. Reload the page.',
  },
  unsupported_data: {
    title: 'Stopped',
    text: 'The page sent something the server does not read. Reload the page.',
  },
  invalid_utf8: {
    title: 'Stopped',
    text: 'The page sent text the server cannot read. Reload the page.',
  },
  too_big: { title: 'Stopped', text: 'The page sent something too big. Reload the page.' },
  auth_missing: {
    title: 'Signed out',
    text: 'The connection did not say who you are. Sign in again.',
  },
  auth_invalid: { title: 'Signed out', text: 'Your sign-in is not valid any more. Sign in again.' },
  session_revoked: {
    title: 'Signed out',
    text: 'This session was ended: in another tab, on another device or by an administrator.',
  },
  session_expired: { title: 'Signed out', text: 'You were away for too long. Sign in again.' },
  token_reuse: {
    title: 'Signed out',
    text: 'Your sign-in was used from two places at once, so it was ended. Sign in again.',
  },
  identity_mismatch: { title: 'Signed out', text: 'Another person signed in here. Sign in again.' },
  auth_timeout: { title: 'Connecting again', text: 'The sign-in took too long. Trying again.' },
  policy_violation: {
    title: 'Stopped',
    text: 'The page sent too much that the server could not read. Reload the page.',
  },
  carrier_off: {
    title: 'Stopped',
    text: 'This page sent its sign-in in the address, which is off here. Its maker has to change that.',
  },
  internal: { title: 'Connecting again', text: 'Something failed on the server. Trying again.' },
  auth_unavailable: {
    title: 'Waiting',
    text: 'The server cannot prove that your access is current. Trying again.',
  },
  overloaded: { title: 'Waiting', text: 'The server is busy. Trying again.' },
  rate_limited: { title: 'Waiting', text: 'Too much was sent at once. Trying again.' },
  auth_loop: { title: 'Waiting', text: 'The same sign-in failed too often. Trying again later.' },
  slow_consumer: {
    title: 'Connecting again',
    text: 'The connection was too slow to follow. Connecting again.',
  },
  token_expired: {
    title: 'Renewing your sign-in',
    text: 'Your access has run out and is being renewed.',
  },
  token_revoked: {
    title: 'Renewing your sign-in',
    text: 'The key that signed your access was withdrawn. It is being renewed.',
  },
  user_suspended: { title: 'Suspended', text: 'Your account is suspended. Ask an administrator.' },
  tenant_disabled: { title: 'Closed', text: 'This workspace is disabled. Ask its operator.' },
  forbidden: { title: 'Not allowed', text: 'You may not connect here. Ask an administrator.' },
};

const BY_ACTION: Record<Action, Sentence> = {
  none: { title: 'Disconnected', text: 'The connection has ended.' },
  refresh: { title: 'Renewing your sign-in', text: 'Your access is being renewed.' },
  retry: { title: 'Waiting', text: 'The server cannot answer at the moment. Trying again.' },
  reconnect: { title: 'Connecting again', text: 'The connection was lost. Trying again.' },
  login: { title: 'Signed out', text: 'Sign in again.' },
  stop: { title: 'Stopped', text: 'You cannot come back by yourself.' },
};

/** A code of a newer server has the sentence of its action. */
export function sentenceOf(code: string, action: Action): Sentence {
  return Object.hasOwn(CLOSE_SENTENCES, code)
    ? CLOSE_SENTENCES[code as CloseCode]
    : BY_ACTION[action];
}
