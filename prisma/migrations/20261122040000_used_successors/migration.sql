-- Boxes whose successor is used and that are still to be erased: few at any moment, so they are found without reading the rest.
CREATE INDEX sessions_used_boxes ON sessions (refresh_rotated_at) WHERE refresh_used AND refresh_sealed IS NOT NULL;
