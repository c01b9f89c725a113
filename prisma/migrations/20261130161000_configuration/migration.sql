-- The configuration as nodes found it at their start. Of a secret there is a MAC under a key derived from SECRET_KEY, so that
-- a change shows, and nobody who reads the table can try values.
CREATE TABLE configuration_values (
  name   text PRIMARY KEY,
  value  text,
  mac    bytea,
  key_id text NOT NULL,
  node   uuid NOT NULL,
  at     timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE node_configurations (
  node   uuid PRIMARY KEY,
  name   text NOT NULL,
  key_id text NOT NULL,
  config jsonb NOT NULL,
  at     timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
