-- A room has words about itself, can be archived (everybody reads, nobody writes), and says which role may use which kinds.
ALTER TABLE rooms
  ADD COLUMN topic text,
  ADD COLUMN description text,
  ADD COLUMN archived boolean NOT NULL DEFAULT false,
  ADD COLUMN kinds jsonb NOT NULL DEFAULT '{}';
