/**
 * Some events can be caused again and again by anybody and change nothing in Postgres. Each of them
 * has a record of its own so many times a minute: for each kind, and for each user, or network
 * where no user is known. The rest is counted, and one record gives the count when the minute is
 * over. So a flood is bounded, and hides nobody else. The same look at the same data, as a console
 * takes it every few seconds, has one record a minute and one with the count.
 */
import { networkOf } from '../platform/http/client-address.js';
import { monotonicMs, wallMs } from '../platform/clock.js';
import { currentRequest } from '../platform/request-context.js';
import type { AuditEventName, AuditNote } from './audit-events.js';

type Who = 'user' | 'network' | 'look';

export const SAMPLED: Partial<Record<AuditEventName, Who>> = {
  authn_login_fail: 'network',
  authn_login_fail_max: 'network',
  authn_token_fail: 'network',
  session_use_after_expire: 'network',
  connection_refused: 'network',
  excess_rate_limit_exceeded: 'network',
  authn_password_change_fail: 'user',
  authn_step_up_fail: 'user',
  authn_password_reset_fail: 'network',
  authn_token_created: 'user',
  authz_fail: 'user',
  connection_opened: 'user',
  connection_renewed: 'user',
  connection_closed: 'user',
  data_read: 'look',
};

const WINDOW_MS = 60_000;
/** Of one actor at one thing. */
const SAME_LOOK_MAX = 1;
/**
 * Networks, and looks, of one minute that are told apart; those beyond are one. Users are as many
 * as there are.
 */
const TOLD_APART_MAX = 20_000;
/**
 * Of all networks together between two flushes, beside the first of each: a crowd of addresses does
 * not fill the audit.
 */
const BESIDE_FIRST_MAX = 200;

/** The owner of a sample: a user, a network, or the one who looks at the data of a user. */
interface Owner {
  readonly actor: string | null;
  readonly user: string | null;
  readonly network: string | null;
}

interface Sample extends Owner {
  readonly event: AuditEventName;
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
      sample.records < (by === 'look' ? SAME_LOOK_MAX : this.perMinute) &&
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
    const owner = ownerOf(note, by);
    const about = by === 'look' ? JSON.stringify([note.tenant, note.user, note.detail]) : '';
    const key = `${note.event}\n${owner.actor ?? owner.user ?? owner.network}\n${about}`;
    const known = this.samples.get(key);
    if (known !== undefined) return known;
    if ((by === 'user' && owner.user !== null) || this.samples.size < TOLD_APART_MAX)
      return this.begin(key, note, owner, nowMs);
    const shared = `${note.event}\nothers`;
    return this.samples.get(shared) ?? this.begin(shared, note, OF_SEVERAL, nowMs);
  }

  private begin(key: string, note: AuditNote, owner: Owner, nowMs: number): Sample {
    const { event } = note;
    const sample: Sample = {
      event,
      ...owner,
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

const OF_SEVERAL: Owner = { actor: null, user: null, network: null };

function ownerOf(note: AuditNote, by: Who): Owner {
  const request = currentRequest();
  const actor = note.actor ?? request?.actor?.userId ?? null;
  if (by === 'look' && actor !== null) return { actor, user: note.user ?? null, network: null };
  const user = by === 'user' ? (note.user ?? actor) : null;
  const network = user === null ? networkOf(note.ip ?? request?.ip ?? '') || null : null;
  return { actor: null, user, network };
}

/**
 * One of a closed list. The end of a connection by its peer has open codes, so only its side is
 * named.
 */
function nameOf({ detail }: AuditNote): string {
  const side = detail?.['side'];
  const name =
    side === undefined || side === 'server' ? (detail?.['code'] ?? detail?.['what']) : side;
  return typeof name === 'string' ? name : 'none';
}

const tenantOf = (note: AuditNote): string | null =>
  note.tenant ?? currentRequest()?.actor?.tenantId ?? null;

function countOf({
  event,
  actor,
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
    actor,
    user,
    session: null,
    ip: network,
    requestId: null,
    detail,
  };
}
