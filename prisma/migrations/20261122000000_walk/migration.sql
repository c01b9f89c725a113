-- The whole first schema. Plain SQL: applied by src/platform/stores/migrate.ts, or by `prisma migrate deploy` where its engine runs.
-- Lock order everywhere: tenants, users, sessions, rooms, members; authority_head last of all.

CREATE TABLE settings (
  key   text PRIMARY KEY,
  value text NOT NULL
);

CREATE TABLE tenants (
  id                 uuid PRIMARY KEY,
  slug               text NOT NULL UNIQUE,
  name               text NOT NULL,
  state              text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
  allow_registration boolean NOT NULL DEFAULT false,
  allow_guests       boolean NOT NULL DEFAULT false,
  version            integer NOT NULL DEFAULT 1,
  created_at         timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE users (
  id               uuid PRIMARY KEY,
  tenant_id        uuid NOT NULL REFERENCES tenants (id),
  email            text NOT NULL,
  name             text NOT NULL,
  password_hash    text,
  password_version integer NOT NULL DEFAULT 1,
  role             text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'admin', 'operator')),
  state            text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended')),
  version          integer NOT NULL DEFAULT 1,
  created_at       timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant_id, email)
);

CREATE TABLE sessions (
  id                    uuid PRIMARY KEY,
  tenant_id             uuid NOT NULL REFERENCES tenants (id),
  user_id               uuid NOT NULL,
  guest                 boolean NOT NULL DEFAULT false,
  device                text,
  transport             text NOT NULL DEFAULT 'body' CHECK (transport IN ('body', 'cookie')),
  user_version          integer NOT NULL,
  created_at            timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  last_active_at        timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  idle_seconds          integer NOT NULL,
  expires_at            timestamptz(3) NOT NULL,
  ended_at              timestamptz(3),
  end_reason            text,
  refresh_family        bytea NOT NULL,
  refresh_hash          bytea NOT NULL,
  refresh_previous_hash bytea,
  refresh_sealed        bytea,
  refresh_generation    integer NOT NULL DEFAULT 1,
  refresh_rotated_at    timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  refresh_used          boolean NOT NULL DEFAULT false
);
CREATE INDEX sessions_user_live ON sessions (user_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_tenant_live ON sessions (tenant_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_idle ON sessions (last_active_at) WHERE ended_at IS NULL;
CREATE INDEX sessions_expiring ON sessions (expires_at) WHERE ended_at IS NULL;
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE signing_keys (
  kid          text PRIMARY KEY,
  alg          text NOT NULL CHECK (alg IN ('ES256', 'RS256')),
  public_jwk   jsonb NOT NULL,
  wrapped      bytea NOT NULL,
  created_at   timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  signs_from   timestamptz(3) NOT NULL,
  retired_at   timestamptz(3),
  withdrawn_at timestamptz(3)
);

-- The authority log: one row per fact that can shrink what somebody may do. authority_head is its only sequencer:
-- it is taken as the last statement before COMMIT, so commit order = n order, without holes.
CREATE TABLE authority_head (
  id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  n  bigint NOT NULL DEFAULT 0,
  pruned bigint NOT NULL DEFAULT 0
);
INSERT INTO authority_head (id) VALUES (1);

CREATE TABLE authority_events (
  n       bigint PRIMARY KEY,
  kind    text NOT NULL,
  payload jsonb NOT NULL,
  at      timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX authority_events_at ON authority_events (at);

CREATE TABLE nodes (
  id          uuid PRIMARY KEY,
  incarnation integer NOT NULL DEFAULT 1,
  name        text NOT NULL,
  lease_ms    integer NOT NULL,
  position    bigint NOT NULL,
  started_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  at          timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  left_at     timestamptz(3),
  -- connections this node closed for its latest events: {"n": count}
  closed      jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE receipts (
  id         uuid PRIMARY KEY,
  tenant_id  uuid NOT NULL,
  -- first and last event of the change
  first_n    bigint NOT NULL,
  n          bigint NOT NULL,
  sessions   integer NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX receipts_created ON receipts (created_at);

CREATE TABLE rooms (
  id          uuid PRIMARY KEY,
  tenant_id   uuid NOT NULL REFERENCES tenants (id),
  slug        text,
  name        text NOT NULL,
  visibility  text NOT NULL CHECK (visibility IN ('public', 'private', 'direct')),
  posting     text NOT NULL DEFAULT 'members' CHECK (posting IN ('members', 'moderators')),
  state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
  direct_key  text,
  authz_epoch bigint NOT NULL DEFAULT 0,
  version     integer NOT NULL DEFAULT 1,
  last_seq    bigint NOT NULL DEFAULT 0,
  created_by  uuid NOT NULL,
  created_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX rooms_slug ON rooms (tenant_id, slug) WHERE state = 'open';
CREATE UNIQUE INDEX rooms_direct ON rooms (tenant_id, direct_key) WHERE state = 'open';

-- A member that left keeps its row with role NULL, so that versions never run backwards.
CREATE TABLE members (
  room_id     uuid NOT NULL REFERENCES rooms (id),
  user_id     uuid NOT NULL REFERENCES users (id),
  role        text CHECK (role IN ('owner', 'moderator', 'member', 'viewer')),
  muted_until timestamptz(3),
  banned      boolean NOT NULL DEFAULT false,
  read_seq    bigint NOT NULL DEFAULT 0,
  version     integer NOT NULL DEFAULT 1,
  created_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (room_id, user_id)
);
CREATE INDEX members_user ON members (user_id) WHERE role IS NOT NULL;

-- One row per durable room event. A message row also carries its current state: an edit replaces `body` in place and a
-- deletion erases it everywhere, so no replay can show what was deleted.
CREATE TABLE room_events (
  room_id     uuid NOT NULL REFERENCES rooms (id),
  seq         bigint NOT NULL,
  type        text NOT NULL CHECK (type IN ('message', 'message_edited', 'message_deleted', 'reaction')),
  message_id  uuid NOT NULL,
  sender      uuid NOT NULL,
  op_id       text,
  fingerprint bytea,
  kind        text,
  body        text,
  emoji       text,
  reaction_on boolean,
  epoch       bigint NOT NULL,
  at          timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  edited_at   timestamptz(3),
  deleted_at  timestamptz(3),
  PRIMARY KEY (room_id, seq)
);
CREATE UNIQUE INDEX room_events_message ON room_events (message_id) WHERE type = 'message';
CREATE UNIQUE INDEX room_events_op ON room_events (op_id, sender, room_id) WHERE op_id IS NOT NULL;
CREATE INDEX room_events_about ON room_events (message_id, seq) WHERE type <> 'message';

CREATE TABLE reactions (
  message_id uuid NOT NULL,
  user_id    uuid NOT NULL,
  emoji      text NOT NULL,
  room_id    uuid NOT NULL,
  reaction_on boolean NOT NULL,
  seq        bigint NOT NULL,
  PRIMARY KEY (message_id, user_id, emoji)
);

-- All room events of one node and turn: guard, locks, dedupe, numbers, insert. One result row per input, in input order.
-- Input: JSON array of {i, type, room, sender, session, user_version, epoch, op_id?, fingerprint?, message_id, kind?, body?, emoji?, on?, until?}
-- `until`: the end of the token it is done with; judged here, after the locks, because a statement may wait for seconds.
-- Outcome: new | duplicate | conflict | revoked | expired | gone | stale. `stale`: the decision was made on older facts; decide again.
-- Within one batch neither (room, sender, op_id) nor the target of an edit, deletion or reaction may occur twice (the caller splits).
CREATE FUNCTION apply_room_events(batch json)
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
        WHEN s.id IS NULL OR s.ended_at IS NOT NULL OR s.expires_at <= clock_timestamp() THEN 'revoked'
        WHEN x.until <= clock_timestamp() THEN 'expired'
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
