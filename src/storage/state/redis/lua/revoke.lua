#!lua
-- Stores revocations. Keys: `revoked` (hash: name → limit), `changes` (sorted set: name by the number of its last
-- change), `versions` (hash: epoch, version). ARGV: an epoch, for when there is none yet; then name and limit in turn.
local revoked, changes, versions = unpack(KEYS)
redis.call('HSETNX', versions, 'epoch', ARGV[1])
for at = 2, #ARGV, 2 do
  local name, limit = ARGV[at], ARGV[at + 1]
  local earlier = redis.call('HGET', revoked, name)
  if not earlier or tonumber(limit) > tonumber(earlier) then
    redis.call('HSET', revoked, name, limit)
    redis.call('ZADD', changes, redis.call('HINCRBY', versions, 'version', 1), name)
  end
end
return 0
