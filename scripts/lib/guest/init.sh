#!/bin/sh
# Pid 1 of the guest. The unprivileged user gets a directory, as an administrator or systemd would delegate it, and
# starts in a cgroup below it.
export PATH=/usr/bin:/bin:/sbin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2> /dev/null
mkdir -p /dev/shm && mount -t tmpfs shm /dev/shm
mount -t tmpfs tmp /tmp && chmod 1777 /tmp
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
ip link set lo up
mkswap /dev/nvme1n1 > /dev/null && swapon /dev/nvme1n1
cd /checkout || exit
node tests.mjs
echo "GUEST-RESULT $?"
poweroff -f
