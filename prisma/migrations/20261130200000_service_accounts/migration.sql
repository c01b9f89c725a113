-- A service account is a user of role `service` with scopes; its keys are sessions. So every fact, event and receipt about
-- users and sessions holds for them. Users that another system owns are found by its id.
ALTER TABLE users
  ADD COLUMN scopes text[] NOT NULL DEFAULT '{}',
  ADD COLUMN external_id text,
  DROP CONSTRAINT users_role_check,
  ADD CONSTRAINT users_role_check CHECK (role IN ('member', 'admin', 'operator', 'auditor', 'service'));
CREATE UNIQUE INDEX users_external_id ON users (tenant_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX users_service ON users (tenant_id, id) WHERE role = 'service';
