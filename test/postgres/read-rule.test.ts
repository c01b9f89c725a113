/**
 * The read rule has two texts: the ladder of `decideRead` and `READABLE` in SQL. They say the same
 * about every combination of facts.
 */
import { expect, test } from '@jest/globals';
import { decideRoom } from '../../src/policy/decide-room.js';
import { standingOf } from '../../src/policy/facts.js';
import type { RoomFacts, StandingRow } from '../../src/policy/facts.js';
import { READABLE } from '../../src/policy/readable-sql.js';
import { freshDatabase } from '../support/node-process.js';
import { query } from '../support/sql.js';

interface Row extends StandingRow {
  state: 'open' | 'closed';
  visibility: RoomFacts['visibility'];
  readable: boolean;
}

/** Every room, every row of `members` or none, every row of `users` or none. */
const FACTS = `
  SELECT r.state, r.visibility, m.version AS member_version, m.role, NULL::timestamptz AS muted_until,
    m.banned, u.role AS user_role, u.state AS user_state, u.version AS user_version,
    (${READABLE}) AS readable
  FROM (SELECT * FROM unnest(ARRAY['open', 'closed']) state, unnest(ARRAY['public', 'private', 'direct']) visibility) r
  CROSS JOIN (
    SELECT NULL::integer AS version, NULL AS role, NULL::boolean AS banned
    UNION ALL SELECT 1, role, banned FROM unnest(ARRAY['owner', 'moderator', 'member', 'viewer', NULL]) role, unnest(ARRAY[true, false]) banned) m
  CROSS JOIN (
    SELECT NULL::integer AS version, NULL AS role, NULL AS state
    UNION ALL SELECT 1, role, state FROM unnest(ARRAY['member', 'admin', 'operator', 'auditor', 'service']) role, unnest(ARRAY['active', 'suspended']) state) u`;

test('the SQL of the read rule answers as the ladder does, over all facts', async () => {
  const rows = await query<Row>(await freshDatabase(), FACTS);
  expect(rows).toHaveLength(2 * 3 * 11 * 11);
  const wrong = rows.filter((row) => {
    const room: RoomFacts = {
      id: 'r',
      tenantId: 't',
      slug: null,
      visibility: row.visibility,
      posting: 'members',
      open: row.state === 'open',
      archived: false,
      kinds: {},
      epoch: 0,
      version: 1,
    };
    return decideRoom('u', { room, ...standingOf(row) }, 'read').allow !== row.readable;
  });
  expect(wrong).toEqual([]);
  // Both answers occur: the comparison can fail.
  expect(new Set(rows.map(({ readable }) => readable))).toEqual(new Set([true, false]));
});
