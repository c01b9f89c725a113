-- What one client may have: emojis of a message, and indexes for counting rooms and listing them a page at a time.

-- A user's own reactions to a message and the different emojis on it are bounded; somebody's reaction that is there already is not refused.
CREATE INDEX reactions_emoji ON reactions (message_id, emoji) WHERE reaction_on;

CREATE FUNCTION reaction_over_quota(room uuid, message uuid, sender uuid, wanted text)
RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT NOT EXISTS (SELECT 1 FROM reactions r WHERE r.message_id = message AND r.user_id = sender AND r.emoji = wanted AND r.reaction_on)
    AND EXISTS (SELECT 1 FROM room_events e WHERE e.message_id = message AND e.type = 'message' AND e.room_id = room)
    AND ((SELECT count(*) FROM reactions r WHERE r.message_id = message AND r.user_id = sender AND r.reaction_on) >= 20
      OR (NOT EXISTS (SELECT 1 FROM reactions r WHERE r.message_id = message AND r.emoji = wanted AND r.reaction_on)
        -- one probe of the index for each emoji that is there
        AND 50 <= (WITH RECURSIVE seen (emoji, n) AS (
            (SELECT r.emoji, 1 FROM reactions r WHERE r.message_id = message AND r.reaction_on ORDER BY r.emoji LIMIT 1)
            UNION ALL
            SELECT (SELECT r.emoji FROM reactions r WHERE r.message_id = message AND r.reaction_on AND r.emoji > s.emoji ORDER BY r.emoji LIMIT 1), s.n + 1
            FROM seen s WHERE s.emoji IS NOT NULL AND s.n <= 50)
          SELECT count(s.emoji) FROM seen s)))
$$;

-- The inputs of a batch without the reactions that are over: for `apply_room_events(within_quotas(...))`. Judged before the
-- locks, so that of nodes which add at the same moment each may add one.
CREATE FUNCTION within_quotas(batch json)
RETURNS json
LANGUAGE sql STABLE
AS $$
  SELECT coalesce(json_agg(x ORDER BY place), '[]') FROM json_array_elements(batch) WITH ORDINALITY AS inputs (x, place)
  WHERE NOT (x ->> 'type' = 'reaction' AND (x ->> 'on')::boolean
    AND reaction_over_quota((x ->> 'room')::uuid, (x ->> 'message_id')::uuid, (x ->> 'sender')::uuid, x ->> 'emoji'))
$$;

-- Rooms of a page: those of a member, the public ones, and what an admin sees, each in order of their ids.
CREATE INDEX members_rooms ON members (user_id, room_id) WHERE role IS NOT NULL;
CREATE INDEX members_owned ON members (user_id) WHERE role = 'owner';
CREATE INDEX rooms_public ON rooms (tenant_id, id) WHERE state = 'open' AND visibility = 'public';
CREATE INDEX rooms_of_admins ON rooms (tenant_id, id) WHERE state = 'open' AND visibility <> 'direct';
DROP INDEX members_user;
