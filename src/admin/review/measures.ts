/**
 * The five items of the monthly review: which counters each reads, and from where on its share is
 * `watch` or `act`. docs/operations.md prints the thresholds (`npm run docs`).
 */
import { TOKEN_FAILURES } from '../../stats/token-failures.js';
import type { ReviewItem } from '../../stats/troubled-clients.js';

/** Series of a counter whose labels have one of these values. */
export interface Selector {
  readonly name: string;
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

export interface Measure {
  readonly what: string;
  readonly count: readonly Selector[];
  /** The share is that of `count` in `of` and, where `beside`, `count` together. */
  readonly of: readonly Selector[];
  readonly beside: boolean;
  readonly ofWhat: string;
  /** Fewer are never a finding. */
  readonly floor: number;
  readonly watch: number;
  /** `tripled`: guests on purpose have a share of their own, and stay at it. */
  readonly act: number | 'tripled';
}

export interface Item {
  readonly item: ReviewItem;
  readonly title: string;
  readonly measures: readonly Measure[];
  readonly advice: string;
}

const series = (name: string, labels: Selector['labels'] = {}): Selector => ({
  name: `wardroom_${name}`,
  labels,
});

const OPENED = series('handshakes_total', { phase: ['auth'], outcome: ['accepted'] });
const RENEWED = series('reauth_total', { outcome: ['ok'] });
const REFRESHED = series('refreshes_total', { outcome: ['rotated', 'repeated'] });

const failed = (
  kind: keyof typeof TOKEN_FAILURES,
  what: string,
  watch: number,
  act: number,
): Measure => ({
  what,
  count: [
    series('handshakes_total', { outcome: TOKEN_FAILURES[kind] }),
    series('reauth_total', { outcome: TOKEN_FAILURES[kind] }),
    series('refusals_total', { via: ['http'], code: TOKEN_FAILURES[kind] }),
  ],
  of: [OPENED, RENEWED, REFRESHED],
  beside: true,
  ofWhat: 'connects, renewals and refreshes',
  floor: 20,
  watch,
  act,
});

const looped = (kind: string, what: string): Measure => ({
  what,
  count: [series('auth_loops_total', { kind: [kind] })],
  of: [OPENED, REFRESHED],
  beside: false,
  ofWhat: 'connects and refreshes',
  floor: 5,
  watch: 0.0005,
  act: 0.005,
});

export const ITEMS: readonly Item[] = [
  {
    item: 'failed_tokens',
    title: 'Failures by invalid or expired tokens',
    measures: [
      failed(
        'invalid',
        'tokens that are not ours, are used up, or are of somebody else',
        0.01,
        0.05,
      ),
      failed('expired', 'tokens that were presented after their end', 0.02, 0.1),
      failed('ended', 'tokens of sessions, users or keys that had ended', 0.05, 0.2),
    ],
    advice:
      'Read the audit for `authn_token_fail`, `connection_refused` and `session_use_after_expire`: it names user and address. Expired: the client does not refresh at `refresh_after_ms`. Ended: it ignores `action`. Invalid from one network: somebody tries.',
  },
  {
    item: 'expiry_reconnects',
    title: 'Reconnects after expiry boundaries',
    measures: [
      {
        what: 'sessions that reconnected after `token_expired` instead of renewing in place',
        count: [series('reconnects_total', { after: ['expiry'] })],
        of: [RENEWED],
        beside: true,
        ofWhat: 'renewals in place and such reconnects',
        floor: 20,
        watch: 0.05,
        act: 0.2,
      },
    ],
    advice:
      'The client does not send `auth_refresh` before the end of its token, or its refresh fails: compare `wardroom_expiries_total` and `wardroom_refreshes_total`. `wardroom drill --only D1,D2,D5` shows the right order.',
  },
  {
    item: 'denied_subscribes',
    title: 'Unauthorized subscribes after connect',
    measures: [
      {
        what: 'subscribes that the policy refused',
        count: [series('denials_total', { action: ['subscribe'] })],
        of: [series('frames_in_total', { type: ['subscribe'] })],
        beside: false,
        ofWhat: 'subscribes',
        floor: 20,
        watch: 0.02,
        act: 0.1,
      },
    ],
    advice:
      'Read the audit for `authz_fail` with `action` `read`. One client and many rooms: somebody looks for rooms. Many clients and one room: a page keeps a room that its users were removed from.',
  },
  {
    item: 'loops',
    title: 'Clients in refresh or reconnect loops',
    measures: [
      looped('credential', 'credentials that were refused ten times within a minute'),
      looped('refresh', 'sessions that were refreshed thirty times within a minute'),
      looped('reconnect', 'sessions with ten short connections within five minutes'),
    ],
    advice:
      'Read the audit for `excess_rate_limit_exceeded`: it names the session. The client repeats what was refused, or gives up connections that are good; it ignores `action` and `retry_after_ms`.',
  },
  {
    item: 'anonymous',
    title: 'Anonymous or downgraded sessions',
    measures: [
      {
        what: 'sign-ins as a guest',
        count: [series('logins_total', { method: ['guest'], outcome: ['ok'] })],
        of: [series('logins_total', { outcome: ['ok'] })],
        beside: false,
        ofWhat: 'sign-ins',
        floor: 20,
        watch: 0.1,
        act: 'tripled',
      },
      {
        what: 'connections with a token in the address (`?token=`)',
        count: [series('carriers_total', { carrier: ['query', 'off'] })],
        of: [series('carriers_total')],
        beside: false,
        ofWhat: 'connections',
        floor: 1,
        watch: 0,
        act: 0.05,
      },
    ],
    advice:
      'Guests: are they meant? `allow_guests` of a tenant lets them in. Tokens in addresses end up in logs and histories: use the first message, a ticket or the subprotocol, and leave QUERY_TOKEN off.',
  },
];

export const REVIEW_COUNTERS: readonly string[] = [
  ...new Set(
    ITEMS.flatMap(({ measures }) =>
      measures.flatMap(({ count, of }) => [...count, ...of].map(({ name }) => name)),
    ),
  ),
];
