/**
 * Months of an installation, made: what the counters of its nodes added up to in each hour. A quiet
 * month has a little of every trouble, as each real one has.
 */
import type { ReviewItem } from '../../src/stats/troubled-clients.js';
import { query } from '../support/sql.js';

interface Line {
  name: string;
  labels: Record<string, string>;
  perHour: number;
}
const line = (name: string, labels: Record<string, string>, perHour: number): Line => ({
  name: `wardroom_${name}`,
  labels,
  perHour,
});

const QUIET: readonly Line[] = [
  line('handshakes_total', { phase: 'upgrade', outcome: 'accepted' }, 62),
  line('handshakes_total', { phase: 'auth', outcome: 'accepted' }, 60),
  line('handshakes_total', { phase: 'auth', outcome: 'token_expired' }, 0.4),
  line('handshakes_total', { phase: 'upgrade', outcome: 'auth_invalid' }, 0.2),
  line('handshakes_total', { phase: 'auth', outcome: 'left' }, 1),
  line('refusals_total', { via: 'http', code: 'session_revoked' }, 1),
  line('refusals_total', { via: 'http', code: 'token_expired' }, 0.5),
  line('refusals_total', { via: 'frame', code: 'token_expired' }, 9),
  line('carriers_total', { carrier: 'message' }, 50),
  line('carriers_total', { carrier: 'header' }, 12),
  line('reauth_total', { outcome: 'ok' }, 180),
  line('reauth_total', { outcome: 'token_expired' }, 0.1),
  line('refreshes_total', { outcome: 'rotated' }, 190),
  line('refreshes_total', { outcome: 'repeated' }, 20),
  line('expiries_total', { phase: 'warned' }, 12),
  line('reconnects_total', { after: 'expiry' }, 1.5),
  line('reconnects_total', { after: 'transport' }, 20),
  line('reconnects_total', { after: 'restart' }, 10),
  line('denials_total', { action: 'subscribe', code: 'not_found' }, 0.8),
  line('denials_total', { action: 'publish', code: 'read_only' }, 30),
  line('frames_in_total', { type: 'subscribe' }, 150),
  line('auth_loops_total', { kind: 'credential', code: 'token_expired' }, 0.005),
  line('logins_total', { method: 'password', outcome: 'ok' }, 20),
  line('logins_total', { method: 'password', outcome: 'invalid_credentials' }, 4),
  line('logins_total', { method: 'guest', outcome: 'ok' }, 0.6),
];

/** A trouble of its kind, beside the quiet rest. */
export const TROUBLES: Readonly<Record<ReviewItem, readonly Line[]>> = {
  failed_tokens: [line('refusals_total', { via: 'http', code: 'token_expired' }, 150)],
  expiry_reconnects: [line('reconnects_total', { after: 'expiry' }, 100)],
  denied_subscribes: [line('denials_total', { action: 'subscribe', code: 'not_found' }, 60)],
  loops: [line('auth_loops_total', { kind: 'refresh', code: 'rotated' }, 3)],
  anonymous: [line('logins_total', { method: 'guest', outcome: 'ok' }, 40)],
};

/** Writes the month; `trouble` comes in its second half only, as troubles do. */
export async function plantMonth(url: string, month: string, trouble?: ReviewItem): Promise<void> {
  const from = Date.parse(`${month}-01T00:00:00Z`);
  const [year, number] = month.split('-').map(Number) as [number, number];
  const hours = (Date.UTC(year, number, 1) - from) / 3_600_000;
  const rows = new Map<string, object>();
  const add = ({ name, labels, perHour }: Line, since: number) => {
    for (let i = since; i < hours; i += 1) {
      // Nights are quieter than days. Rare events come whole, where their sum passes a number.
      const rate = perHour * (1 + 0.6 * Math.sin((i / 24) * 2 * Math.PI));
      const value = rate >= 1 ? Math.round(rate) : Number((i * rate) % 1 < rate);
      if (value === 0) continue;
      const hour = new Date(from + i * 3_600_000).toISOString();
      const key = `${hour} ${name} ${JSON.stringify(labels)}`;
      const before = (rows.get(key) as { value: number } | undefined)?.value ?? 0;
      rows.set(key, { hour, name, labels, value: value + before });
    }
  };
  for (const each of QUIET) add(each, 0);
  for (const each of trouble === undefined ? [] : TROUBLES[trouble])
    add(each, Math.floor(hours / 2));
  await query(
    url,
    `INSERT INTO hour_stats (hour, name, labels, value)
     SELECT * FROM json_to_recordset($1) AS r (hour timestamptz, name text, labels jsonb, value float8)`,
    [JSON.stringify([...rows.values()])],
  );
}

/** Of the last summed hour the minutes count, and a month that was made has none. */
export const closeMonths = (url: string): Promise<unknown> =>
  query(url, `INSERT INTO hour_stats VALUES (date_trunc('hour', now()), 'wardroom_none', '{}', 0)`);
