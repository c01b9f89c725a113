-- Sessions as operators look for them: from where they were opened, and why, by whom and with which receipt they ended.
-- Rows of before have none of it.
ALTER TABLE sessions
  ADD COLUMN ip text,
  ADD COLUMN user_agent text,
  ADD COLUMN end_detail text,
  ADD COLUMN ended_by uuid,
  ADD COLUMN end_receipt uuid;

-- The list is in the order of ids, newest first, and each of its filters is an equality: one index each, for live and for
-- ended sessions apart, because after a while nearly all rows are those of ended ones.
DROP INDEX sessions_user_live;
DROP INDEX sessions_tenant_live;
CREATE INDEX sessions_live ON sessions (id) WHERE ended_at IS NULL;
CREATE INDEX sessions_user_live ON sessions (user_id, id) WHERE ended_at IS NULL;
CREATE INDEX sessions_tenant_live ON sessions (tenant_id, id) WHERE ended_at IS NULL;
CREATE INDEX sessions_device_live ON sessions (device, id) WHERE ended_at IS NULL AND device IS NOT NULL;
CREATE INDEX sessions_ip_live ON sessions (ip, id) WHERE ended_at IS NULL AND ip IS NOT NULL;
CREATE INDEX sessions_over ON sessions (id) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_user_over ON sessions (user_id, id) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_tenant_over ON sessions (tenant_id, id) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_device_over ON sessions (device, id) WHERE ended_at IS NOT NULL AND device IS NOT NULL;
CREATE INDEX sessions_ip_over ON sessions (ip, id) WHERE ended_at IS NOT NULL AND ip IS NOT NULL;

-- Users by the beginning of their address or name.
CREATE INDEX users_email_prefix ON users (email text_pattern_ops);
CREATE INDEX users_name_prefix ON users (lower(name) text_pattern_ops);
