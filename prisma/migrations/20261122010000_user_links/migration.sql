-- Who an external OpenID issuer says somebody is. One subject has one user in each tenant that trusts its issuer; a user has
-- at most one subject of an issuer, so an e-mail address that was given to another person does not open the account.
-- logged_out_at is the issuer's own time: ID tokens issued until then open no session any more.
-- Lock order: tenants, user_links, users, sessions.
CREATE TABLE user_links (
  issuer        text NOT NULL,
  subject       text NOT NULL,
  tenant_id     uuid NOT NULL REFERENCES tenants (id),
  user_id       uuid NOT NULL REFERENCES users (id),
  created_at    timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  logged_out_at timestamptz(3),
  PRIMARY KEY (issuer, subject, tenant_id),
  UNIQUE (issuer, user_id)
);
