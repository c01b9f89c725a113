#!/bin/sh
# Stands in for the entry point of the image `valkey/valkey`: as root it hands the folder of data
# over and drops its rights.
set -eu
if [ "$(id -u)" = 0 ]; then
  chown valkey:valkey /data
  exec setpriv --reuid valkey --regid valkey --init-groups "$0" "$@"
fi
exec "$@"
