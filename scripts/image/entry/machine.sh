#!/bin/sh
# The first process of the machine of `npm run test:compose`, in namespaces of its own: $1 is its
# root. Its mounts, its network and its processes end with it.
set -e
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /sys "$1/sys"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/run"
mount -t tmpfs tmpfs "$1/tmp"
ip link set lo up
# not chroot: a process that joins the mounts of a container would land in the root of the host
cd "$1"
mkdir -p host
pivot_root . host
cd /
umount -l /host
exec dockerd --log-level warn
