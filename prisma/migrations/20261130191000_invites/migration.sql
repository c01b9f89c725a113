-- Invitations by link: into a room (room_id), or into a tenant as a new user. Only the hash of a code is kept.
CREATE TABLE invites (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  room_id uuid REFERENCES rooms (id),
  code_hash bytea NOT NULL UNIQUE,
  role text CHECK (role IN ('viewer', 'member', 'moderator')),
  email text,
  max_uses integer CHECK (max_uses > 0),
  uses integer NOT NULL DEFAULT 0,
  expires_at timestamptz(3) NOT NULL,
  created_by uuid NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  CHECK ((room_id IS NULL) = (role IS NULL)),
  CHECK (email IS NULL OR room_id IS NULL),
  CHECK (uses <= max_uses)
);
CREATE INDEX invites_room ON invites (room_id, id) WHERE room_id IS NOT NULL;
CREATE INDEX invites_tenant ON invites (tenant_id, id);
