/** The audit: filters, reading back over any number, and a tail that can be held. */
import { signal } from '@preact/signals';
import type { AuditRecordView } from '../../../../src/admin/audit/audit.schema.js';
import type { AuditEventName } from '../../../../src/audit/audit-events.js';
import { Pager } from '../pager.js';
import type { Fields } from '../place.js';
import { cliOf, get, send, withQuery } from '../rest.js';
import type { Caller } from '../rest.js';
import { userOf } from '../user-of.js';
import { troubleOf } from '../words.js';
import type { Trouble } from '../words.js';

export type { AuditRecordView };

/** Every kind of record; the compiler misses none. */
const EVENTS: Record<AuditEventName, true> = {
  authn_login_success: true,
  authn_login_fail: true,
  authn_login_fail_max: true,
  authn_password_change: true,
  authn_password_change_fail: true,
  authn_step_up: true,
  authn_step_up_fail: true,
  authn_password_reset_requested: true,
  authn_password_reset: true,
  authn_password_reset_fail: true,
  authn_token_created: true,
  authn_token_fail: true,
  authn_token_reuse: true,
  authn_token_revoked: true,
  session_created: true,
  session_expired: true,
  session_use_after_expire: true,
  connection_opened: true,
  connection_renewed: true,
  connection_refused: true,
  connection_closed: true,
  connection_ended: true,
  authz_fail: true,
  privilege_permissions_changed: true,
  user_created: true,
  user_updated: true,
  user_suspended: true,
  user_restored: true,
  user_linked: true,
  user_taken_over: true,
  tenant_created: true,
  tenant_updated: true,
  tenant_erased: true,
  room_created: true,
  room_updated: true,
  room_deleted: true,
  invite_created: true,
  invite_accepted: true,
  invite_withdrawn: true,
  room_events_lost: true,
  key_created: true,
  key_rotated: true,
  key_withdrawn: true,
  excess_rate_limit_exceeded: true,
  authority_history_replaced: true,
  sys_startup: true,
  sys_shutdown: true,
  sys_monitor_disabled: true,
  audit_truncated: true,
  config_changed: true,
  data_read: true,
  review_signed: true,
  audit_pruned: true,
};
export const AUDIT_EVENT_NAMES = Object.keys(EVENTS).sort();

export const AUDIT_FILTERS = [
  'event',
  'tenant',
  'user',
  'request',
  'connection',
  'close_id',
] as const;

export type TailState = 'off' | 'following' | 'held';

const TAIL_MS = 2_000;
const TAIL_LIMIT = 100;

export class Audit {
  readonly pager: Pager<AuditRecordView>;
  readonly tail = signal<TailState>('off');
  readonly trouble = signal<Trouble | null>(null);
  /** More came between two looks than one page holds. */
  readonly missed = signal(false);
  fields: Fields = {};
  opened = false;
  #round = 0;

  constructor(private readonly caller: Caller) {
    this.pager = new Pager(caller, () => '/v1/admin/audit');
  }

  async open(fields: Fields): Promise<void> {
    const round = (this.#round += 1);
    this.opened = true;
    this.missed.value = false;
    const asked = known(fields);
    const user = asked['user'];
    const id = user?.includes('@') === true ? await userOf(this.caller, user) : user;
    if (round !== this.#round) return;
    this.fields = id === undefined ? asked : { ...asked, user: id };
    await this.pager.open(this.fields);
  }

  /** By a filter beside the event and the person. */
  isNarrowed(fields: Fields): boolean {
    return Object.keys(known(fields)).some((name) => name !== 'event' && name !== 'user');
  }

  /** One look for what came since; what is shown stays. */
  async look(): Promise<void> {
    try {
      const { items } = await send<{ items: AuditRecordView[] }>(
        this.caller,
        get('/v1/admin/audit', { ...this.fields, limit: TAIL_LIMIT }),
      );
      const shown = new Set(this.pager.items.value.map(({ id }) => id));
      const fresh = items.filter(({ id }) => !shown.has(id));
      if (fresh.length === TAIL_LIMIT && shown.size > 0) this.missed.value = true;
      if (fresh.length > 0) this.pager.items.value = [...fresh, ...this.pager.items.value];
      this.trouble.value = null;
    } catch (error) {
      this.trouble.value = troubleOf(error);
    }
  }

  follow(): void {
    this.tail.value = 'following';
  }
  hold(): void {
    this.tail.value = 'held';
  }

  /** Looks every 2 s while it follows and somebody sees the page. Answers how to stop. */
  watch(isSeen: () => boolean): () => void {
    let stopped = false;
    let timer: unknown;
    const next = async () => {
      if (this.tail.value === 'following' && isSeen()) await this.look();
      if (!stopped) timer = setTimeout(() => void next(), TAIL_MS);
    };
    timer = setTimeout(() => void next(), TAIL_MS);
    return () => {
      stopped = true;
      clearTimeout(timer as number | undefined);
    };
  }

  get path(): string {
    return withQuery('/v1/admin/audit', this.fields);
  }

  /** The command has fewer filters. */
  get cli(): string {
    const { tenant, user, event } = this.fields;
    return cliOf(['audit'], { tenant, user, event });
  }
}

const known = (fields: Fields): Fields =>
  Object.fromEntries(
    AUDIT_FILTERS.flatMap((name) =>
      fields[name] === undefined || fields[name] === '' ? [] : [[name, fields[name]]],
    ),
  );
