-- What happened to a connection until it ended, newest events only; null for an end that an older version wrote.
ALTER TABLE connection_ends ADD COLUMN timeline jsonb;
