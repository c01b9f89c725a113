-- People count by numbers: a message has a number among the messages of its room. Edits, deletions and reactions carry the number
-- of the last message before them, so the number at any seq is one row of the primary key (contract section 8).
-- A message also keeps its first body when it is edited, its words for the search, and is pinned by an event of its own.
ALTER TABLE rooms
  ADD COLUMN last_n bigint NOT NULL DEFAULT 0,
  ADD COLUMN last_message_seq bigint NOT NULL DEFAULT 0,
  ADD COLUMN last_message_at timestamptz(3);
ALTER TABLE room_events
  ADD COLUMN n bigint NOT NULL DEFAULT 0,
  ADD COLUMN reply_to uuid,
  ADD COLUMN mentions uuid[],
  ADD COLUMN original text,
  ADD COLUMN words tsvector,
  DROP CONSTRAINT room_events_type_check,
  ADD CONSTRAINT room_events_type_check CHECK (type IN ('message', 'message_edited', 'message_deleted', 'reaction', 'pinned'));
ALTER TABLE members
  ADD COLUMN read_n bigint NOT NULL DEFAULT 0,
  ADD COLUMN favourite boolean NOT NULL DEFAULT false,
  ADD COLUMN notify text NOT NULL DEFAULT 'all' CHECK (notify IN ('all', 'mentions', 'none'));

UPDATE room_events e SET n = c.n
FROM (SELECT room_id, seq, count(*) FILTER (WHERE type = 'message') OVER (PARTITION BY room_id ORDER BY seq) AS n FROM room_events) c
WHERE e.room_id = c.room_id AND e.seq = c.seq;
UPDATE rooms r SET last_n = c.n, last_message_seq = c.seq, last_message_at = c.at
FROM (SELECT room_id, max(n) AS n, max(seq) AS seq, max(at) AS at FROM room_events WHERE type = 'message' GROUP BY room_id) c
WHERE r.id = c.room_id;
UPDATE members m SET read_n = e.n FROM room_events e WHERE e.room_id = m.room_id AND e.seq = m.read_seq;

-- Proves that a message that is not deleted mentions a user, or everybody in the room: the user of zeros.
CREATE TABLE mentions (
  room_id uuid NOT NULL,
  n       bigint NOT NULL,
  user_id uuid NOT NULL,
  PRIMARY KEY (room_id, user_id, n)
);
CREATE INDEX mentions_message ON mentions (room_id, n);

-- Proves that a message that is not deleted is pinned in its room, by whom and by which event.
CREATE TABLE pins (
  room_id    uuid NOT NULL,
  message_id uuid NOT NULL,
  seq        bigint NOT NULL,
  pinned_by  uuid NOT NULL,
  pinned_at  timestamptz(3) NOT NULL,
  PRIMARY KEY (room_id, message_id)
);

-- What people read of a body: itself where it is a string, else its member `text`.
CREATE FUNCTION message_text(body text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(body::jsonb) WHEN 'string' THEN body::jsonb #>> '{}' ELSE body::jsonb ->> 'text' END;

-- Words of a message, and lexemes of its tenant and room: a search meets the words of no other tenant.
CREATE FUNCTION message_words(text text, tenant uuid, room uuid) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_tsvector('simple', text) || array_to_tsvector(ARRAY['t:' || tenant, 'r:' || room]);
UPDATE room_events e SET words = message_words(message_text(e.body), r.tenant_id, r.id)
FROM rooms r WHERE r.id = e.room_id AND e.type = 'message' AND e.body IS NOT NULL;
CREATE INDEX room_events_words ON room_events USING gin (words) WHERE words IS NOT NULL;
CREATE INDEX room_events_replies ON room_events (reply_to, seq) WHERE reply_to IS NOT NULL;

ALTER TYPE room_event_input ADD ATTRIBUTE reply_to uuid;
ALTER TYPE room_event_input ADD ATTRIBUTE mentions uuid[];
ALTER TYPE room_event_input ADD ATTRIBUTE words text;

-- The whole function as it is from here on.
DROP FUNCTION apply_room_events(json);
CREATE FUNCTION apply_room_events(batch json)
RETURNS TABLE (i integer, outcome text, message_id uuid, seq bigint, epoch bigint, at timestamptz, prev text, n bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
AS $function$
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
    SELECT x.*, r.tenant_id, r.last_seq, r.last_n, r.authz_epoch, r.ctid AS room_at, t.ctid AS target_at, room_event_mark(h.message_id, h.at) AS head_mark,
      d.seq AS seen_seq, d.message_id AS seen_message, d.at AS seen_at, d.epoch AS seen_epoch, d.n AS seen_n, t.n AS target_n,
      t.deleted_at AS target_deleted_at, coalesce(z.seq, p.seq) AS state_seq, del.seq AS deleted_seq, del.at AS deleted_event_at,
      CASE
        WHEN s.id IS NULL THEN 'session_revoked'
        WHEN s.ended_at IS NOT NULL THEN s.end_reason
        WHEN s.expires_at <= clock_timestamp() THEN 'session_expired'
        WHEN x.until <= clock_timestamp() THEN 'token_expired'
        WHEN r.id IS NULL OR r.state <> 'open' THEN 'gone'
        -- a session of a service account may act as another user
        WHEN r.authz_epoch <> x.epoch OR CASE WHEN s.user_id = x.sender THEN s.user_version ELSE a.version END IS DISTINCT FROM x.user_version THEN 'stale'
        WHEN d.seq IS NOT NULL AND (d.fingerprint = decode(x.fingerprint, 'hex') OR coalesce(d.value_fingerprint, d.fingerprint) = decode(coalesce(x.value_fingerprint, x.fingerprint), 'hex')) THEN 'duplicate'
        WHEN d.seq IS NOT NULL THEN 'conflict'
        WHEN x.type = 'message' THEN 'new'
        WHEN t.message_id IS NULL THEN 'gone'
        WHEN x.type = 'message_deleted' AND t.deleted_at IS NOT NULL THEN 'duplicate'
        WHEN t.deleted_at IS NOT NULL THEN 'gone'
        WHEN x.type = 'reaction' AND coalesce(z.reaction_on, false) = x."on" THEN 'duplicate'
        WHEN x.type = 'pinned' AND (p.seq IS NOT NULL) = x."on" THEN 'duplicate'
        ELSE 'new'
      END AS verdict
    FROM unnest(inputs) x
    -- LATERAL and LIMIT: one look-up per input and nothing else; IS NOT DISTINCT FROM: no index but the intended one fits
    LEFT JOIN LATERAL (SELECT * FROM sessions s WHERE s.id = x.session LIMIT 1) s ON true
    LEFT JOIN LATERAL (SELECT a.version FROM users a WHERE s.user_id <> x.sender AND a.id = x.sender AND a.tenant_id = s.tenant_id LIMIT 1) a ON true
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
    LEFT JOIN LATERAL (SELECT p.* FROM pins p
      WHERE x.type = 'pinned' AND p.room_id = x.room AND p.message_id = x.message_id LIMIT 1) p ON true
  ), numbered AS (
    SELECT j.*, j.last_seq + row_number() OVER (PARTITION BY j.room ORDER BY j.i) AS new_seq,
      j.last_n + count(*) FILTER (WHERE j.type = 'message') OVER (PARTITION BY j.room ORDER BY j.i) AS new_n, date_trunc('milliseconds', clock_timestamp()) AS new_at
    FROM judged j WHERE j.verdict = 'new'
  ), stored AS (
    INSERT INTO room_events (room_id, seq, type, message_id, sender, op_id, fingerprint, value_fingerprint, kind, body, emoji, reaction_on, epoch, at, n, reply_to, mentions, words)
    SELECT n.room, n.new_seq, n.type, n.message_id, n.sender, n.op_id, decode(n.fingerprint, 'hex'), decode(n.value_fingerprint, 'hex'), n.kind, n.body, n.emoji, n."on", n.authz_epoch, n.new_at, n.new_n, n.reply_to, n.mentions,
      CASE WHEN n.type = 'message' THEN message_words(n.words, n.tenant_id, n.room) END
    FROM numbered n
  ), heads AS (
    UPDATE rooms r SET last_seq = h.top, last_n = h.top_n, last_message_seq = coalesce(h.message_seq, r.last_message_seq), last_message_at = coalesce(h.message_at, r.last_message_at)
    FROM (SELECT n.room_at, max(n.new_seq) AS top, max(n.new_n) AS top_n,
        max(n.new_seq) FILTER (WHERE n.type = 'message') AS message_seq, max(n.new_at) FILTER (WHERE n.type = 'message') AS message_at
      FROM numbered n GROUP BY n.room_at) h WHERE r.ctid = h.room_at
  ), marked AS (
    -- whoever publishes has read what came before
    UPDATE members m SET read_seq = greatest(m.read_seq, w.seq), read_n = greatest(m.read_n, w.n)
    FROM (SELECT n.room, n.sender, max(n.new_seq) AS seq, max(n.new_n) AS n FROM numbered n WHERE n.type = 'message' GROUP BY n.room, n.sender) w
    WHERE m.room_id = w.room AND m.user_id = w.sender AND m.role IS NOT NULL
  ), mentioned AS (
    INSERT INTO mentions (room_id, n, user_id)
    SELECT n.room, n.new_n, who FROM numbered n CROSS JOIN LATERAL unnest(n.mentions) AS who WHERE n.type = 'message'
  ), unmentioned AS (
    DELETE FROM mentions y USING numbered n WHERE n.type = 'message_deleted' AND y.room_id = n.room AND y.n = n.target_n
  ), edited AS (
    UPDATE room_events e SET body = n.body, edited_at = n.new_at, original = coalesce(e.original, e.body), words = message_words(n.words, n.tenant_id, n.room)
    FROM numbered n WHERE n.type = 'message_edited' AND e.ctid = n.target_at
  ), deleted AS (
    UPDATE room_events e SET body = NULL, original = NULL, words = NULL, deleted_at = CASE WHEN e.type = 'message' THEN n.new_at END
    FROM (SELECT n.new_at, bodies.at_row FROM numbered n CROSS JOIN LATERAL (
        SELECT n.target_at AS at_row
        UNION ALL
        SELECT y.ctid FROM room_events y WHERE n.type = 'message_deleted' AND y.message_id = n.message_id AND y.type = 'message_edited' AND y.type <> 'message'
        OFFSET 0) bodies WHERE n.type = 'message_deleted') n
    WHERE e.ctid = n.at_row
  ), pinned AS (
    INSERT INTO pins (room_id, message_id, seq, pinned_by, pinned_at)
    SELECT n.room, n.message_id, n.new_seq, n.sender, n.new_at FROM numbered n WHERE n.type = 'pinned' AND n."on"
  ), unpinned AS (
    DELETE FROM pins p USING numbered n
    WHERE (n.type = 'message_deleted' OR n.type = 'pinned' AND NOT n."on") AND p.room_id = n.room AND p.message_id = n.message_id
  ), reacted AS (
    INSERT INTO reactions (message_id, user_id, emoji, room_id, reaction_on, seq)
    SELECT n.message_id, n.sender, n.emoji, n.room, n."on", n.new_seq FROM numbered n WHERE n.type = 'reaction'
    ON CONFLICT (message_id, user_id, emoji) DO UPDATE SET reaction_on = EXCLUDED.reaction_on, seq = EXCLUDED.seq
  )
  SELECT j.i, j.verdict,
    coalesce(j.seen_message, j.message_id),
    coalesce(n.new_seq, j.seen_seq, j.deleted_seq, j.state_seq, j.last_seq),
    coalesce(n.authz_epoch, j.seen_epoch, j.authz_epoch),
    coalesce(n.new_at, j.seen_at, j.deleted_event_at),
    coalesce(lag(room_event_mark(n.message_id, n.new_at)) OVER (PARTITION BY n.room ORDER BY n.i), j.head_mark, ''),
    coalesce(n.new_n, j.seen_n, j.last_n)
  FROM judged j LEFT JOIN numbered n ON n.i = j.i
  ORDER BY j.i;
END
$function$;
