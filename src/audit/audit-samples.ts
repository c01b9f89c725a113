/**
 * Some events can be caused again and again by anybody and change nothing in Postgres. Each of them
 * has a record of its own so many times a minute: for each kind, and for each user, or network
 * where no user is known. The rest is counted, and one record gives the count when the minute is
 * over. So a flood is bounded, and hides nobody else.
 */
import { networkOf } from '../platform/http/client-address.js';
import { monotonicMs, wallMs } from '../platform/clock.js';
import { currentRequest } from '../platform/request-context.js';
import type { AuditEventName, AuditNote } from './audit-events.js';

type Who = 'user' | 'network';

export const SAMPLED: Partial<Record<AuditEventName, Who>> = {
  authn_login_fail: 'network',
  authn_login_fail_max: 'network',
  authn_token_fail: 'network',
  session_use_after_expire: 'network',
  connection_refused: 'network',
  excess_rate_limit_exceeded: 'network',
  authn_password_change_fail: 'user',
  authn_token_created: 'user',
  authz_fail: 'user',
  connection_opened: 'user',
  connection_renewed: 'user',
  connection_closed: 'user',
};

const WINDOW_MS = 60_000;
/**
 * Networks of one minute that are told apart; those beyond are one. Users are as many as there are.
 */
const NETWORKS_MAX = 20_000;
/**
 * Of all networks together between two flushes, beside the first of each: a crowd of addresses does
 * not fill the audit.
 */
const BESIDE_FIRST_MAX = 200;

interface Sample {
  readonly event: AuditEventName;
  readonly user: string | null;
  readonly network: string | null;
  /** Null: of several. */
  tenant: string | null;
  readonly fromMs: number;
  readonly endsMs: number;
  records: number;
  counted: number;
  codes: Map<string, number> | null;
}

export class AuditSamples {
  /** In the order of their ends, as each lasts as long. */
  private readonly samples = new Map<string, Sample>();
  private besideFirst = 0;

  constructor(private readonly perMinute: number) {}

  /** False: it is counted. */
  admits(note: AuditNote, nowMs = monotonicMs()): boolean {
    const by = SAMPLED[note.event];
    if (by === undefined || this.perMinute === Infinity) return true;
    const sample = this.sampleOf(note, by, nowMs);
    if (
      sample.records < this.perMinute &&
      (sample.records === 0 || by === 'user' || (this.besideFirst += 1) <= BESIDE_FIRST_MAX)
    ) {
      sample.records += 1;
      return true;
    }
    const name = nameOf(note);
    sample.counted += 1;
    sample.codes ??= new Map();
    sample.codes.set(name, (sample.codes.get(name) ?? 0) + 1);
    if (sample.tenant !== tenantOf(note)) sample.tenant = null;
    return false;
  }

  /** The counts of minutes that are over. To be called at each flush. */
  over(nowMs = monotonicMs()): AuditNote[] {
    this.besideFirst = 0;
    const notes: AuditNote[] = [];
    for (const [key, sample] of this.samples) {
      if (sample.endsMs > nowMs) break;
      this.samples.delete(key);
      if (sample.counted > 0) notes.push(countOf(sample));
    }
    return notes;
  }

  private sampleOf(note: AuditNote, by: Who, nowMs: number): Sample {
    const request = currentRequest();
    const user = by === 'user' ? (note.user ?? request?.actor?.userId ?? null) : null;
    const network = user === null ? networkOf(note.ip ?? request?.ip ?? '') || null : null;
    const key = `${note.event}\n${user ?? network}`;
    const known = this.samples.get(key);
    if (known !== undefined) return known;
    if (user !== null || this.samples.size < NETWORKS_MAX)
      return this.begin(key, note, { user, network }, nowMs);
    const shared = `${note.event}\nothers`;
    return (
      this.samples.get(shared) ?? this.begin(shared, note, { user: null, network: null }, nowMs)
    );
  }

  private begin(
    key: string,
    note: AuditNote,
    who: { user: string | null; network: string | null },
    nowMs: number,
  ): Sample {
    const { event } = note;
    const sample: Sample = {
      event,
      ...who,
      tenant: tenantOf(note),
      fromMs: wallMs(),
      endsMs: nowMs + WINDOW_MS,
      records: 0,
      counted: 0,
      codes: null,
    };
    this.samples.set(key, sample);
    return sample;
  }
}

/**
 * One of a closed list. The end of a connection by its peer has open codes, so only its side is
 * named.
 */
function nameOf({ detail }: AuditNote): string {
  const side = detail?.['side'];
  const name = side === undefined || side === 'server' ? detail?.['code'] : side;
  return typeof name === 'string' ? name : 'none';
}

const tenantOf = (note: AuditNote): string | null =>
  note.tenant ?? currentRequest()?.actor?.tenantId ?? null;

function countOf({
  event,
  user,
  network,
  tenant,
  fromMs,
  counted: count,
  codes,
}: Sample): AuditNote {
  const window = { from: new Date(fromMs).toISOString(), to: new Date(wallMs()).toISOString() };
  const detail = {
    limit: 'audit',
    event,
    count,
    ...window,
    codes: Object.fromEntries(codes ?? []),
  };
  return {
    event: 'excess_rate_limit_exceeded',
    tenant,
    actor: null,
    user,
    session: null,
    ip: network,
    requestId: null,
    detail,
  };
}
