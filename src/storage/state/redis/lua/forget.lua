-- Deletes leases that are over. ARGV[5] and on: their subscribers. Answers with how many of these it has dealt with:
-- not all where they have so many matchers that others would have to wait.
local removed = 0
for at = 5, #ARGV do
  local lease = redis.call('HGET', leases, ARGV[at])
  local matchers = lease and matchersOf(lease)
  if matchers then removed = removed + removeFromIndex((split(lease)), matchers) end
  redis.call('HDEL', leases, ARGV[at])
  redis.call('ZREM', order, ARGV[at])
  redis.call('ZREM', ending, ARGV[at])
  if removed >= MATCHERS_PER_CALL then return at - 4 end
end
return #ARGV - 4
