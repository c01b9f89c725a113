/**
 * Sessions asked for in Postgres, because the sets of this node say nothing of them: after the
 * history of the database was replaced, a credential may be one of a session that is lost. Nothing
 * asks here otherwise.
 */
import { Injectable } from '@nestjs/common';
import { AuthorityDispatcher } from '../authority/authority-dispatcher.js';
import { AuthorityState } from '../authority/authority-state.js';
import { Database } from '../platform/stores/database.js';
import { DomainError } from '../platform/errors.js';
import { Batcher } from '../platform/stores/batcher.js';
import type { Principal } from './principal.js';

const AT_ONCE = 5_000;
/** Of the last quarter of an hour at most: older credentials are dead. */
const KNOWN_MAX = 200_000;

const STANDING = `
  SELECT s.id FROM sessions s JOIN tenants t ON t.id = s.tenant_id LEFT JOIN users u ON u.id = s.user_id
  WHERE s.id = ANY($1::uuid[]) AND s.ended_at IS NULL AND s.expires_at > clock_timestamp() AND t.state = 'active'
    AND (s.guest OR u.state = 'active')`;

@Injectable()
export class StandingSessions {
  private known = new Set<string>();
  private readonly wanted = new Batcher<string, boolean>(async (ids) => {
    const standing = await this.of(ids);
    return ids.map((id) => standing.has(id));
  }, AT_ONCE);

  constructor(
    private readonly database: Database,
    private readonly state: AuthorityState,
    dispatcher: AuthorityDispatcher,
  ) {
    dispatcher.register('caches', { historyReplaced: () => void (this.known = new Set()) });
  }

  /** Those that are there and alive. */
  async of(sessions: readonly string[]): Promise<Set<string>> {
    const standing = new Set<string>();
    for (let from = 0; from < sessions.length; from += AT_ONCE) {
      const rows = await this.database.hot<{ id: string }>('standing_sessions', STANDING, [
        sessions.slice(from, from + AT_ONCE),
      ]);
      for (const { id } of rows) standing.add(id);
    }
    return standing;
  }

  /**
   * For a credential of before the present history; once for each session. A later end is in the
   * log.
   */
  async require({ sessionId, ...rest }: Principal, issuedAtMs: number): Promise<void> {
    if (!this.state.isElder(issuedAtMs) || this.known.has(sessionId)) return;
    const { known } = this;
    if (!(await this.wanted.ask(sessionId)))
      throw new DomainError('session_revoked', {
        who: { sessionId, ...rest },
        detail: 'the session was lost',
      });
    if (known.size < KNOWN_MAX) known.add(sessionId);
  }
}
