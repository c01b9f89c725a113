-- Rooms have an epoch: another one from the moment on when a node sees that events of the room are gone. And every event
-- is announced with the mark of the event before it, so that a node never puts an event of one past behind another past.
ALTER TABLE rooms ADD COLUMN epoch text NOT NULL DEFAULT '0';

-- What tells an event from every other that ever had its place in the room. The same text as src/rooms/events/room-event.ts makes.
CREATE FUNCTION room_event_mark(message_id uuid, at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN right(message_id::text, 12) || trunc(extract(epoch FROM at) * 1000)::bigint;

-- As before, and `prev`: the mark of the event before, empty when there is none. Another result, so it is made anew.
DROP FUNCTION apply_room_events(json);
CREATE FUNCTION apply_room_events(batch json)
RETURNS TABLE (i integer, outcome text, message_id uuid, seq bigint, epoch bigint, at timestamptz, prev text)
LANGUAGE plpgsql VOLATILE
-- One generic plan of index look-ups, whatever the statistics say: a plan made while a table was empty is kept for long.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
AS $$
#variable_conflict use_column
DECLARE
  inputs room_event_input[] := ARRAY(SELECT x FROM json_populate_recordset(NULL::room_event_input, batch) x);
  sessions uuid[] := ARRAY(SELECT DISTINCT x.session FROM unnest(inputs) x);
  rooms uuid[] := ARRAY(SELECT DISTINCT x.room FROM unnest(inputs) x);
BEGIN
  -- 1. guard: a revocation's UPDATE falls wholly before or wholly after this effect
  PERFORM 1 FROM sessions s WHERE s.id = ANY (sessions) ORDER BY s.id FOR SHARE;
  -- 2. the rooms, in id order
  PERFORM 1 FROM rooms r WHERE r.id = ANY (rooms) ORDER BY r.id FOR NO KEY UPDATE;
  -- 3. judge, number and store in one statement, whose snapshot is younger than the locks
  RETURN QUERY
  WITH judged AS (
    SELECT x.*, r.last_seq, r.authz_epoch, r.ctid AS room_at, t.ctid AS target_at, room_event_mark(h.message_id, h.at) AS head_mark,
      d.seq AS seen_seq, d.message_id AS seen_message, d.at AS seen_at, d.epoch AS seen_epoch,
      t.deleted_at AS target_deleted_at, z.seq AS reaction_seq, del.seq AS deleted_seq, del.at AS deleted_event_at,
      CASE
        WHEN s.id IS NULL THEN 'session_revoked'
        WHEN s.ended_at IS NOT NULL THEN s.end_reason
        WHEN s.expires_at <= clock_timestamp() THEN 'session_expired'
        WHEN x.until <= clock_timestamp() THEN 'token_expired'
        WHEN r.id IS NULL OR r.state <> 'open' THEN 'gone'
        WHEN r.authz_epoch <> x.epoch OR s.user_version <> x.user_version THEN 'stale'
        WHEN d.seq IS NOT NULL AND d.fingerprint = decode(x.fingerprint, 'hex') THEN 'duplicate'
        WHEN d.seq IS NOT NULL THEN 'conflict'
        WHEN x.type = 'message' THEN 'new'
        WHEN t.message_id IS NULL THEN 'gone'
        WHEN x.type = 'message_deleted' AND t.deleted_at IS NOT NULL THEN 'duplicate'
        WHEN t.deleted_at IS NOT NULL THEN 'gone'
        WHEN x.type = 'reaction' AND coalesce(z.reaction_on, false) = x."on" THEN 'duplicate'
        ELSE 'new'
      END AS verdict
    FROM unnest(inputs) x
    -- LATERAL and LIMIT: one look-up per input and nothing else; IS NOT DISTINCT FROM: no index but the intended one fits
    LEFT JOIN LATERAL (SELECT * FROM sessions s WHERE s.id = x.session LIMIT 1) s ON true
    LEFT JOIN LATERAL (SELECT r.ctid, r.* FROM rooms r WHERE r.id = x.room LIMIT 1) r ON true
    LEFT JOIN LATERAL (SELECT h.* FROM room_events h WHERE h.room_id = x.room AND h.seq = r.last_seq LIMIT 1) h ON true
    LEFT JOIN LATERAL (SELECT d.* FROM room_events d
      WHERE d.op_id = x.op_id AND d.sender = x.sender AND d.room_id IS NOT DISTINCT FROM x.room LIMIT 1) d ON true
    LEFT JOIN LATERAL (SELECT t.ctid, t.* FROM room_events t
      WHERE x.type <> 'message' AND t.message_id = x.message_id AND t.type = 'message' AND t.room_id IS NOT DISTINCT FROM x.room LIMIT 1) t ON true
    LEFT JOIN LATERAL (SELECT e.* FROM room_events e
      WHERE x.type = 'message_deleted' AND e.message_id = x.message_id AND e.type = 'message_deleted' AND e.type <> 'message' LIMIT 1) del ON true
    LEFT JOIN LATERAL (SELECT z.* FROM reactions z
      WHERE x.type = 'reaction' AND z.message_id = x.message_id AND z.user_id = x.sender AND z.emoji = x.emoji LIMIT 1) z ON true
  ), numbered AS (
    SELECT j.*, j.last_seq + row_number() OVER (PARTITION BY j.room ORDER BY j.i) AS new_seq, date_trunc('milliseconds', clock_timestamp()) AS new_at
    FROM judged j WHERE j.verdict = 'new'
  ), stored AS (
    INSERT INTO room_events (room_id, seq, type, message_id, sender, op_id, fingerprint, kind, body, emoji, reaction_on, epoch, at)
    SELECT n.room, n.new_seq, n.type, n.message_id, n.sender, n.op_id, decode(n.fingerprint, 'hex'), n.kind, n.body, n.emoji, n."on", n.authz_epoch, n.new_at
    FROM numbered n
  ), heads AS (
    UPDATE rooms r SET last_seq = h.top
    FROM (SELECT n.room_at, max(n.new_seq) AS top FROM numbered n GROUP BY n.room_at) h WHERE r.ctid = h.room_at
  ), edited AS (
    UPDATE room_events e SET body = n.body, edited_at = n.new_at
    FROM numbered n WHERE n.type = 'message_edited' AND e.ctid = n.target_at
  ), deleted AS (
    UPDATE room_events e SET body = NULL, deleted_at = CASE WHEN e.type = 'message' THEN n.new_at END
    FROM (SELECT n.new_at, bodies.at_row FROM numbered n CROSS JOIN LATERAL (
        SELECT n.target_at AS at_row
        UNION ALL
        SELECT y.ctid FROM room_events y WHERE n.type = 'message_deleted' AND y.message_id = n.message_id AND y.type = 'message_edited' AND y.type <> 'message'
        OFFSET 0) bodies WHERE n.type = 'message_deleted') n
    WHERE e.ctid = n.at_row
  ), reacted AS (
    INSERT INTO reactions (message_id, user_id, emoji, room_id, reaction_on, seq)
    SELECT n.message_id, n.sender, n.emoji, n.room, n."on", n.new_seq FROM numbered n WHERE n.type = 'reaction'
    ON CONFLICT (message_id, user_id, emoji) DO UPDATE SET reaction_on = EXCLUDED.reaction_on, seq = EXCLUDED.seq
  )
  SELECT j.i, j.verdict,
    coalesce(j.seen_message, j.message_id),
    coalesce(n.new_seq, j.seen_seq, j.deleted_seq, j.reaction_seq, j.last_seq),
    coalesce(n.authz_epoch, j.seen_epoch, j.authz_epoch),
    coalesce(n.new_at, j.seen_at, j.deleted_event_at),
    coalesce(lag(room_event_mark(n.message_id, n.new_at)) OVER (PARTITION BY n.room ORDER BY n.i), j.head_mark, '')
  FROM judged j LEFT JOIN numbered n ON n.i = j.i
  ORDER BY j.i;
END
$$;
