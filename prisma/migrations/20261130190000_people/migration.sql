-- The profile that people see of each other.
ALTER TABLE users
  ADD COLUMN avatar text,
  ADD COLUMN status text;

-- The form in which names are compared: NFKC, case folded (the upper case of a letter, in lower case), any sigma alike. By the
-- rules of ICU, or of the C.UTF-8 that Postgres 17 brings, because the locale of the database may know ASCII only.
DO $$
DECLARE
  rules text;
BEGIN
  SELECT quote_ident(collname) INTO rules FROM pg_collation
  WHERE collnamespace = 'pg_catalog'::regnamespace AND collname IN ('und-x-icu', 'pg_c_utf8')
  ORDER BY collname DESC LIMIT 1;
  EXECUTE format(
    $function$
      CREATE FUNCTION fold_name(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
        SELECT replace(normalize(lower(upper(normalize(name, NFKC) COLLATE %1$s)), NFKC), U&'\03C2', U&'\03C3')
      $body$
    $function$, coalesce(rules, '"default"'));
END
$$;

-- The directory of a tenant in the order of names, and its users by the beginning of an address. Byte order, in which a
-- beginning is a range.
CREATE INDEX users_directory ON users (tenant_id, (fold_name(name) COLLATE "C"), id);
CREATE INDEX users_tenant_email ON users (tenant_id, email COLLATE "C");
