#!/bin/sh
# Makes the keys and the password of Redis that compose.yaml names, in ./secrets. The certificate is yours to add.
set -eu
cd "$(dirname "$0")"
# Containers read the files as users of their own, so that the folder, which they do not see, is what keeps others out.
mkdir -m 700 secrets
umask 022
for key in publisher_key subscriber_key admin_key; do openssl rand -hex 32 >"secrets/$key"; done
password=$(openssl rand -hex 32)
printf 'redis://herald:%s@redis:6379\n' "$password" >secrets/journal
# Whoever has not logged in may do nothing but the health check, and Herald nothing that administers Redis.
printf 'user default on nopass resetkeys -@all +ping\nuser herald on >%s ~{herald}:* &* +@all -@dangerous +info\n' "$password" >secrets/redis_users
