/**
 * The read rule of `decideRead` (decide-room.ts) in SQL, for statements that decide and read at
 * once. Rooms are `r`; `m` is the caller's row of `members` and `u` of `users`, null where there is
 * none. test/postgres/read-rule.test.ts compares the two over all facts. `IS NOT DISTINCT FROM`:
 * the planner shall not take this for a way to find rooms.
 */
export const READABLE = `r.state IS NOT DISTINCT FROM 'open' AND m.banned IS NOT TRUE
  AND coalesce(u.state, 'active') = 'active' AND coalesce(u.role, 'guest') NOT IN ('operator', 'auditor')
  AND (m.role IS NOT NULL OR r.visibility = 'public'
    OR (coalesce(u.role, 'guest') IN ('admin', 'service') AND r.visibility <> 'direct'))`;
