-- When the person of a session last proved themselves by a password, or by what an issuer says of it. Null: never, or from
-- before this column: then the password is asked for once.
ALTER TABLE sessions ADD COLUMN auth_time timestamptz(3);
