-- An op_id that comes again is compared by value: members in another order are the same content. The digest of the text stays
-- as it was, because a node of the version before writes and compares only that; the one of the value stands beside it where they differ.
ALTER TABLE room_events ADD COLUMN value_fingerprint bytea;
ALTER TYPE room_event_input ADD ATTRIBUTE value_fingerprint text;

-- Three places of apply_room_events; whatever else it does at this point stays.
DO $$
DECLARE
  body text := pg_get_functiondef('apply_room_events(json)'::regprocedure);
  change text[];
BEGIN
  FOREACH change SLICE 1 IN ARRAY ARRAY[
    ['d.fingerprint = decode(x.fingerprint, ''hex'') THEN',
     '(d.fingerprint = decode(x.fingerprint, ''hex'') OR coalesce(d.value_fingerprint, d.fingerprint) = decode(coalesce(x.value_fingerprint, x.fingerprint), ''hex'')) THEN'],
    ['op_id, fingerprint, kind,', 'op_id, fingerprint, value_fingerprint, kind,'],
    ['decode(n.fingerprint, ''hex''), n.kind', 'decode(n.fingerprint, ''hex''), decode(n.value_fingerprint, ''hex''), n.kind']
  ] LOOP
    IF strpos(body, change[1]) = 0 THEN
      RAISE EXCEPTION 'apply_room_events is not as this migration knows it: %', change[1];
    END IF;
    body := replace(body, change[1], change[2]);
  END LOOP;
  EXECUTE body;
END
$$;
