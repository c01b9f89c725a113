-- A cut tail of the audit is noticed (ADR 0029): a node passes the head that it knows with each append, and nodes keep sealed heads.

-- One row for each witness and chain: the newest head of the chain that the witness has proven. `seal` is an HMAC under a key
-- derived from SECRET_KEY; a row without a true seal is believed by nobody. `at` is for people, and outside the seal.
CREATE TABLE audit_heads (
  chain   uuid NOT NULL,
  witness uuid NOT NULL,
  n       bigint NOT NULL,
  hash    bytea NOT NULL,
  key_id  text NOT NULL,
  seal    bytea NOT NULL,
  at      timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (chain, witness)
);

-- As before (20261122020000_audit), and compares first: the node knows that record `known_n` with `known_hash` is committed.
-- `whole` false: the chain does not have it, and nothing was appended; `head_n` is the last record that is left. Otherwise the
-- new head. `known_n` 0: the node knows of nothing yet, and `known_hash` is what the first record is linked to.
CREATE FUNCTION append_audit(chain uuid, key text, records json, known_n bigint, known_hash bytea, OUT head_n bigint, OUT head_hash text, OUT whole boolean)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  head audit_chains%ROWTYPE;
  x record;
BEGIN
  IF known_n = 0 THEN
    INSERT INTO audit_chains (node, key_id, n, hash, pruned, pruned_hash) VALUES (chain, key, 0, known_hash, 0, known_hash) ON CONFLICT (node) DO NOTHING;
  END IF;
  SELECT c.* INTO head FROM audit_chains c WHERE c.node = chain FOR UPDATE;
  whole := FOUND AND head.n >= known_n AND (head.n > known_n OR head.hash = known_hash)
    AND (known_n <= head.pruned OR EXISTS (SELECT 1 FROM audit_events e WHERE e.node = chain AND e.n = known_n AND e.hash = known_hash));
  IF NOT whole THEN
    head_n := coalesce(least(head.n, (SELECT max(e.n) FROM audit_events e WHERE e.node = chain)), 0);
    RETURN;
  END IF;
  FOR x IN
    SELECT * FROM json_to_recordset(records) AS r (
      id uuid, digest text, at timestamptz, event text, tenant_id uuid, actor_id uuid, user_id uuid,
      session_hash text, ip text, request_id uuid, detail jsonb)
  LOOP
    CONTINUE WHEN EXISTS (SELECT 1 FROM audit_events e WHERE e.id = x.id);
    head.n := head.n + 1;
    head.hash := sha256(head.hash || int8send(head.n) || decode(x.digest, 'hex'));
    INSERT INTO audit_events (id, node, n, at, event, tenant_id, actor_id, user_id, session_hash, ip, request_id, detail, hash)
    VALUES (x.id, chain, head.n, x.at, x.event, x.tenant_id, x.actor_id, x.user_id, x.session_hash, x.ip, x.request_id, x.detail, head.hash);
  END LOOP;
  UPDATE audit_chains c SET n = head.n, hash = head.hash WHERE c.node = chain;
  head_n := head.n;
  head_hash := encode(head.hash, 'hex');
END
$$;

-- For nodes of the version before, while they are replaced: they know of no head.
CREATE OR REPLACE FUNCTION append_audit(chain uuid, key text, records json)
RETURNS text
LANGUAGE sql VOLATILE
AS $$
  SELECT a.head_n || ':' || a.head_hash FROM append_audit(chain, key, records, 0, sha256(uuid_send(chain))) a
$$;
