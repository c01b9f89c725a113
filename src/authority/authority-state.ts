/**
 * This node's knowledge of ended rights: the sets that every token and connection is compared with,
 * synchronously. They are a copy of the log up to `position`, and are believed only while the lease
 * holds (lease.ts).
 */
import { Injectable } from '@nestjs/common';
import type { CloseCode } from '@wardroom/protocol/codes';
import { wallMs } from '../platform/clock.js';
import { AuthorityDispatcher } from './authority-dispatcher.js';
import type { AuthorityEvent, EndReason } from './events.js';

/** No token lives longer (contract section 3), so a session that ended earlier can be forgotten. */
export const LONGEST_TOKEN_LIFE_MS = 900_000;
/**
 * The clock that dated a token may be that far off (clocks.ts), and its `iat` counts whole seconds.
 */
const ISSUED_LEEWAY_MS = 6_000;
/** Past the clocks' leeway in both directions (clocks.ts). */
const KEEP_MS = LONGEST_TOKEN_LIFE_MS + 60_000;

/**
 * A place in the log. Another history gives the same `n` to other events; `hash` (hex) is that of
 * event `n`.
 */
export interface Position {
  history: string;
  n: number;
  hash: string;
}

export interface Snapshot {
  at: Position;
  /** When the history began, if it replaced another. */
  historyAtMs: number | null;
  ended: { session: string; reason: EndReason; endedAtMs: number }[];
  disabledTenants: string[];
  withdrawnKeys: string[];
}

/** Sessions by the reason of their end, tenants and keys that may not. */
export interface EndedFacts {
  sessions: ReadonlyMap<string, EndReason>;
  disabledTenants: readonly string[];
  withdrawnKeys: readonly string[];
}

export interface TokenSubject {
  session: string;
  tenant: string;
  kid: string;
}

@Injectable()
export class AuthorityState {
  /**
   * This event and everything before it is applied. `history` is the name of the past that this
   * node believes in.
   */
  at: Position = { history: '', n: 0, hash: '' };
  private historyAtMs: number | null = null;
  private ended = new Map<string, { readonly reason: EndReason; readonly atMs: number }>();
  private disabledTenants = new Set<string>();
  private withdrawnKeys = new Set<string>();

  constructor(private readonly dispatcher: AuthorityDispatcher) {}

  /** The highest n of which this and everything before is applied. */
  get position(): number {
    return this.at.n;
  }

  /** The id of the history that this node has loaded. */
  get history(): string {
    return this.at.history;
  }

  /** The ends to write again into a database that lost commits. */
  get endedFacts(): EndedFacts {
    return {
      sessions: new Map([...this.ended].map(([session, { reason }]) => [session, reason])),
      disabledTenants: [...this.disabledTenants],
      withdrawnKeys: [...this.withdrawnKeys],
    };
  }

  /**
   * A credential of before the present history: its session may be one that the database lost, so
   * the local sets say nothing of it. False as long as nothing was replaced; after that until the
   * last token of before is dead.
   */
  isElder(issuedAtMs: number): boolean {
    return this.historyAtMs !== null && issuedAtMs < this.historyAtMs + ISSUED_LEEWAY_MS;
  }

  load(snapshot: Snapshot): void {
    this.at = snapshot.at;
    this.historyAtMs = snapshot.historyAtMs;
    this.ended = new Map(
      snapshot.ended.map(({ session, reason, endedAtMs }) => [
        session,
        { reason, atMs: endedAtMs },
      ]),
    );
    this.disabledTenants = new Set(snapshot.disabledTenants);
    this.withdrawnKeys = new Set(snapshot.withdrawnKeys);
  }

  /**
   * Behind the pruned log, or in another history: what the snapshot says is applied as if it had
   * just happened, everything else is asked anew.
   */
  reload(snapshot: Snapshot): void {
    const change = { from: this.history, to: snapshot.at.history };
    const ended = [...this.ended];
    this.load(snapshot);
    // An end is final, also where the database forgot it.
    for (const [session, end] of ended) if (!this.ended.has(session)) this.ended.set(session, end);
    if (change.from !== change.to) this.dispatcher.historyReplaced(change);
    for (const { session, reason } of snapshot.ended)
      this.apply({ kind: 'session.ended', sessions: [session], reason }, null);
    for (const tenant of snapshot.disabledTenants)
      this.apply(
        { kind: 'tenant.changed', tenant, state: 'disabled', allow_guests: false, version: 0 },
        null,
      );
    for (const kid of snapshot.withdrawnKeys) this.apply({ kind: 'key.withdrawn', kid }, null);
    this.dispatcher.reload();
  }

  hasEnded(session: string): boolean {
    return this.ended.has(session);
  }

  /**
   * Why the session ended, or null. The memory of this node counts also where a database that lost
   * commits has the session alive.
   */
  endOf(session: string): EndReason | null {
    return this.ended.get(session)?.reason ?? null;
  }

  /**
   * Why this credential is dead, or null. The only question handshake, REST and re-authentication
   * ask.
   */
  verdict({
    session,
    tenant,
    kid,
  }: TokenSubject): Extract<CloseCode, EndReason | 'token_revoked'> | null {
    const ended = this.ended.get(session);
    if (ended !== undefined) return ended.reason;
    if (this.disabledTenants.has(tenant)) return 'tenant_disabled';
    if (this.withdrawnKeys.has(kid)) return 'token_revoked';
    return null;
  }

  /**
   * Synchronous and cheap; answers how many connections were marked dead. `logged` null: an
   * addition of rights.
   */
  apply(event: AuthorityEvent, logged: { n: number; hash: string } | null): number {
    const n = logged?.n ?? null;
    switch (event.kind) {
      case 'session.ended':
        this.end(event.sessions, event.reason);
        break;
      case 'tenant.changed':
        if (event.state === 'disabled') this.disabledTenants.add(event.tenant);
        // An addition without a number may be old news: only the log lifts what the log imposed.
        else if (n !== null) this.disabledTenants.delete(event.tenant);
        break;
      case 'key.withdrawn':
        this.withdrawnKeys.add(event.kid);
        break;
      case 'user.changed':
      case 'member.changed':
      case 'room.changed':
      case 'key.added':
      case 'history.replaced':
        break;
    }
    const closed = this.dispatcher.event(event, n);
    if (logged !== null) this.at = { history: this.history, n: logged.n, hash: logged.hash };
    return closed;
  }

  /** Forgets sessions whose last token is long dead. */
  prune(): void {
    const before = wallMs() - KEEP_MS;
    if (this.historyAtMs !== null && this.historyAtMs < before) this.historyAtMs = null;
    for (const [session, { atMs }] of this.ended) if (atMs < before) this.ended.delete(session);
  }

  private end(sessions: string[], reason: EndReason): void {
    const ended = { reason, atMs: wallMs() };
    for (const session of sessions) this.ended.set(session, ended);
  }
}
