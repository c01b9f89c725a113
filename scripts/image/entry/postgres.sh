#!/bin/sh
# Stands in for the entry point of the image `postgres`: as root it hands the folder of data over
# and drops its rights, and the first start makes the database that the environment asks for.
set -eu
PGDATA=/var/lib/postgresql/data
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown postgres:postgres "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # as the image does: no superuser without a password
  : "${POSTGRES_PASSWORD:?}"
  user=${POSTGRES_USER:-postgres}
  password=$(mktemp)
  printf '%s\n' "$POSTGRES_PASSWORD" > "$password"
  initdb --pgdata "$PGDATA" --username "$user" --pwfile "$password" --encoding UTF8
  rm "$password"
  printf '\nhost all all all scram-sha-256\n' >> "$PGDATA/pg_hba.conf"
  printf "\nlisten_addresses = '*'\n" >> "$PGDATA/postgresql.conf"
  # the server of the first start listens on the socket only
  pg_ctl --pgdata "$PGDATA" --options "-c listen_addresses=''" --wait start
  [ "${POSTGRES_DB:-$user}" = postgres ] || createdb --username "$user" "${POSTGRES_DB:-$user}"
  pg_ctl --pgdata "$PGDATA" --mode fast --wait stop
fi
export PGDATA
exec "$@"
