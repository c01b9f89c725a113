-- Why connections ended: one row each, kept for CLOSES_KEPT_HOURS. Written in batches after the end; a row that is lost with
-- its node is one explanation less and nothing else.
CREATE TABLE connection_ends (
  connection_id    uuid PRIMARY KEY,
  close_id         text NOT NULL,
  node             uuid NOT NULL,
  tenant_id        uuid,
  user_id          uuid,
  session_id       uuid,
  ip               text NOT NULL,
  side             text NOT NULL CHECK (side IN ('server', 'client', 'transport')),
  code             text NOT NULL,
  opened_at        timestamptz(3) NOT NULL,
  token_expires_at timestamptz(3),
  at               timestamptz(3) NOT NULL
);
CREATE INDEX connection_ends_close ON connection_ends (close_id);
CREATE INDEX connection_ends_tenant ON connection_ends (tenant_id);
CREATE INDEX connection_ends_at ON connection_ends (at);

-- A call, or a connection, and everything that was recorded of it.
CREATE INDEX audit_events_request ON audit_events (request_id, id) WHERE request_id IS NOT NULL;
