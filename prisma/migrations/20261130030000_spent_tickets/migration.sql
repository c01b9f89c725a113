-- Tickets that were presented, so that each opens one connection, whatever is written into Redis. Unlogged: after a crash of
-- Postgres it is empty, and a ticket lives for 30 s.
CREATE UNLOGGED TABLE spent_tickets (
  hash  bytea PRIMARY KEY,
  until timestamptz(3) NOT NULL
);
CREATE INDEX spent_tickets_until ON spent_tickets (until);
