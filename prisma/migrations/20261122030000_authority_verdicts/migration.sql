-- apply_room_events: who was refused learns why his session is over. The verdict of a dead session is the code it ended
-- with, `session_expired` when only its time ran out, and `token_expired` when its token did; before it was always `revoked`.
CREATE OR REPLACE FUNCTION apply_room_events(batch json)
RETURNS TABLE (i integer, outcome text, message_id uuid, seq bigint, epoch bigint, at timestamptz)
LANGUAGE plpgsql VOLATILE
-- One generic plan of index look-ups, whatever the statistics say: a plan made while a table was empty is kept for long.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
  -- 1. guard: a revocation's UPDATE falls wholly before or wholly after this effect
  PERFORM 1 FROM sessions s
    WHERE s.id IN (SELECT (x ->> 'session')::uuid FROM json_array_elements(batch) x)
    ORDER BY s.id FOR SHARE;
  -- 2. the rooms, in id order
  PERFORM 1 FROM rooms r
    WHERE r.id IN (SELECT (x ->> 'room')::uuid FROM json_array_elements(batch) x)
    ORDER BY r.id FOR NO KEY UPDATE;
  -- 3. judge, number and store in one statement, whose snapshot is younger than the locks
  RETURN QUERY
  WITH input AS (
    SELECT * FROM json_to_recordset(batch) AS x (
      i integer, type text, room uuid, sender uuid, session uuid, user_version integer, epoch bigint,
      op_id text, fingerprint text, message_id uuid, kind text, body text, emoji text, "on" boolean, until timestamptz)
  ), judged AS (
    SELECT x.*, r.last_seq, r.authz_epoch,
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
    FROM input x
    LEFT JOIN sessions s ON s.id = x.session
    LEFT JOIN rooms r ON r.id = x.room
    -- IS NOT DISTINCT FROM: no index but the intended one fits
    LEFT JOIN room_events d ON d.op_id = x.op_id AND d.sender = x.sender AND d.room_id IS NOT DISTINCT FROM x.room
    LEFT JOIN room_events t ON t.message_id = x.message_id AND t.type = 'message' AND t.room_id IS NOT DISTINCT FROM x.room AND x.type <> 'message'
    LEFT JOIN room_events del ON del.message_id = x.message_id AND del.type = 'message_deleted' AND x.type = 'message_deleted'
    LEFT JOIN reactions z ON x.type = 'reaction' AND z.message_id = x.message_id AND z.user_id = x.sender AND z.emoji = x.emoji
  ), numbered AS (
    SELECT j.*, j.last_seq + row_number() OVER (PARTITION BY j.room ORDER BY j.i) AS new_seq, date_trunc('milliseconds', clock_timestamp()) AS new_at
    FROM judged j WHERE j.verdict = 'new'
  ), stored AS (
    INSERT INTO room_events (room_id, seq, type, message_id, sender, op_id, fingerprint, kind, body, emoji, reaction_on, epoch, at)
    SELECT n.room, n.new_seq, n.type, n.message_id, n.sender, n.op_id, decode(n.fingerprint, 'hex'), n.kind, n.body, n.emoji, n."on", n.authz_epoch, n.new_at
    FROM numbered n
  ), heads AS (
    UPDATE rooms r SET last_seq = h.top
    FROM (SELECT n.room, max(n.new_seq) AS top FROM numbered n GROUP BY n.room) h WHERE r.id = h.room
  ), edited AS (
    UPDATE room_events e SET body = n.body, edited_at = n.new_at
    FROM numbered n WHERE n.type = 'message_edited' AND e.message_id = n.message_id AND e.type = 'message'
  ), deleted AS (
    UPDATE room_events e SET body = NULL, deleted_at = CASE WHEN e.type = 'message' THEN n.new_at END
    FROM numbered n WHERE n.type = 'message_deleted' AND e.message_id = n.message_id AND e.type IN ('message', 'message_edited')
  ), reacted AS (
    INSERT INTO reactions (message_id, user_id, emoji, room_id, reaction_on, seq)
    SELECT n.message_id, n.sender, n.emoji, n.room, n."on", n.new_seq FROM numbered n WHERE n.type = 'reaction'
    ON CONFLICT (message_id, user_id, emoji) DO UPDATE SET reaction_on = EXCLUDED.reaction_on, seq = EXCLUDED.seq
  )
  SELECT j.i, j.verdict,
    coalesce(j.seen_message, j.message_id),
    coalesce(n.new_seq, j.seen_seq, j.deleted_seq, j.reaction_seq, j.last_seq),
    coalesce(n.authz_epoch, j.seen_epoch, j.authz_epoch),
    coalesce(n.new_at, j.seen_at, j.deleted_event_at)
  FROM judged j LEFT JOIN numbered n ON n.i = j.i
  ORDER BY j.i;
END
$$;
