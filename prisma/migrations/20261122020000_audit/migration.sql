-- The audit: who did what, when, from where; in one hash chain per node incarnation (one life of a process).
-- Lock order: a chain is taken after everything else a transaction needs, authority_head alone comes after it.

-- Where a chain stands, apart from its rows: so rows missing at its end are missed. `pruned` is the last row that the
-- retention deleted, `pruned_seal` proves that a node did it.
CREATE TABLE audit_chains (
  node        uuid PRIMARY KEY,
  key_id      text NOT NULL,
  n           bigint NOT NULL,
  hash        bytea NOT NULL,
  pruned      bigint NOT NULL,
  pruned_hash bytea NOT NULL,
  pruned_seal bytea,
  started_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE audit_events (
  id           uuid PRIMARY KEY,
  node         uuid NOT NULL,
  n            bigint NOT NULL,
  at           timestamptz(3) NOT NULL,
  event        text NOT NULL,
  tenant_id    uuid,
  actor_id     uuid,
  user_id      uuid,
  session_hash text,
  ip           text,
  request_id   uuid,
  detail       jsonb NOT NULL,
  hash         bytea NOT NULL,
  UNIQUE (node, n)
);
CREATE INDEX audit_events_tenant ON audit_events (tenant_id, id);
CREATE INDEX audit_events_user ON audit_events (user_id, id);
CREATE INDEX audit_events_actor ON audit_events (actor_id, id);
CREATE INDEX audit_events_event ON audit_events (event, id);

-- Appends records to the chain of one node and answers its head as `n:hash`. The chain's row is locked until COMMIT, so
-- transactions of one node that commit beside each other take their numbers in commit order, without holes.
-- hash = SHA-256(hash before | number, 8 bytes | digest); the digest is an HMAC of the content that only nodes can make and
-- that is stored nowhere: who can write to this table alone can neither alter a row nor link around a missing one.
-- Input: JSON array of {id, digest (hex), at, event, tenant_id, actor_id, user_id, session_hash, ip, request_id, detail}.
-- A record that is there already is left out, so a batch whose outcome is unknown may be sent again.
CREATE FUNCTION append_audit(chain uuid, key text, records json)
RETURNS text
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  head_n bigint;
  head_hash bytea := sha256(uuid_send(chain));
  x record;
BEGIN
  INSERT INTO audit_chains (node, key_id, n, hash, pruned, pruned_hash) VALUES (chain, key, 0, head_hash, 0, head_hash) ON CONFLICT (node) DO NOTHING;
  SELECT c.n, c.hash INTO head_n, head_hash FROM audit_chains c WHERE c.node = chain FOR UPDATE;
  FOR x IN
    SELECT * FROM json_to_recordset(records) AS r (
      id uuid, digest text, at timestamptz, event text, tenant_id uuid, actor_id uuid, user_id uuid,
      session_hash text, ip text, request_id uuid, detail jsonb)
  LOOP
    CONTINUE WHEN EXISTS (SELECT 1 FROM audit_events e WHERE e.id = x.id);
    head_n := head_n + 1;
    head_hash := sha256(head_hash || int8send(head_n) || decode(x.digest, 'hex'));
    INSERT INTO audit_events (id, node, n, at, event, tenant_id, actor_id, user_id, session_hash, ip, request_id, detail, hash)
    VALUES (x.id, chain, head_n, x.at, x.event, x.tenant_id, x.actor_id, x.user_id, x.session_hash, x.ip, x.request_id, x.detail, head_hash);
  END LOOP;
  UPDATE audit_chains c SET n = head_n, hash = head_hash WHERE c.node = chain;
  RETURN head_n || ':' || encode(head_hash, 'hex');
END
$$;
