-- A position in the authority log is (history, n, hash), never n alone: a database that lost its newest commits gives the
-- same numbers to other events. docs/authority.md, "When the history is replaced".

-- history: the name of this past; a new one at each replacement. previous: the one before it. history_at: tokens issued
-- before may belong to sessions that are lost. hash: of the newest event.
ALTER TABLE authority_head
  ADD COLUMN history    uuid NOT NULL DEFAULT gen_random_uuid(),
  ADD COLUMN previous   uuid,
  ADD COLUMN history_at timestamptz(3),
  ADD COLUMN hash       bytea;
UPDATE authority_head SET hash = sha256(uuid_send(history));
ALTER TABLE authority_head ALTER COLUMN hash SET NOT NULL;

ALTER TABLE authority_events
  ADD COLUMN prev bytea,
  ADD COLUMN hash bytea;

CREATE FUNCTION authority_event_hash(prev bytea, n bigint, at timestamptz, payload jsonb)
RETURNS bytea
LANGUAGE sql STABLE
AS $$ SELECT sha256(prev || int8send(n) || int8send((extract(epoch FROM at) * 1000)::bigint) || convert_to(payload::text, 'UTF8')) $$;

-- Links each new event to the one before. A trigger, so that a node of the version before writes a whole chain, too. The
-- statement that adds events has locked the head's row.
CREATE FUNCTION link_authority_event()
RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  SELECT h.hash INTO STRICT NEW.prev FROM authority_head h;
  NEW.hash := authority_event_hash(NEW.prev, NEW.n, NEW.at, NEW.payload);
  UPDATE authority_head SET hash = NEW.hash;
  RETURN NEW;
END
$$;

DO $$
DECLARE
  x record;
  head bytea := (SELECT hash FROM authority_head);
BEGIN
  FOR x IN SELECT n, at, payload FROM authority_events ORDER BY n LOOP
    UPDATE authority_events SET prev = head, hash = authority_event_hash(head, x.n, x.at, x.payload) WHERE n = x.n RETURNING hash INTO head;
  END LOOP;
  UPDATE authority_head SET hash = head;
END
$$;

CREATE TRIGGER link_authority_event BEFORE INSERT ON authority_events FOR EACH ROW EXECUTE FUNCTION link_authority_event();
ALTER TABLE authority_events ALTER COLUMN prev SET NOT NULL, ALTER COLUMN hash SET NOT NULL;

-- round: this node's lease rounds, numbered; it reads back the last one it committed. hash: at its position. Null: of a
-- node of the version before, which proves nothing to a waiting receipt.
ALTER TABLE nodes
  ADD COLUMN round   bigint NOT NULL DEFAULT 0,
  ADD COLUMN history uuid,
  ADD COLUMN hash    bytea;

-- Null: of a node of the version before.
ALTER TABLE receipts
  ADD COLUMN history uuid,
  ADD COLUMN hash    bytea;
UPDATE receipts r SET history = h.history, hash = (SELECT e.hash FROM authority_events e WHERE e.n = r.n) FROM authority_head h;
