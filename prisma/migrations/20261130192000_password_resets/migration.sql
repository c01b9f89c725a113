-- Links by which a user sets a new password: mailed to the address of the user, or made by an admin. Only the hash of a token
-- is kept.
CREATE TABLE password_resets (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  user_id uuid NOT NULL REFERENCES users (id),
  token_hash bytea NOT NULL UNIQUE,
  mailed_to text,
  created_by uuid,
  password_version integer NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  CHECK ((mailed_to IS NULL) <> (created_by IS NULL))
);
CREATE INDEX password_resets_user ON password_resets (user_id);
CREATE INDEX password_resets_tenant ON password_resets (tenant_id);
CREATE INDEX password_resets_expired ON password_resets (expires_at);
