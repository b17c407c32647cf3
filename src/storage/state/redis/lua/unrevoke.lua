#!lua
-- Lets go of revocations. Keys: as in revoke.lua. ARGV: their names. The versions stay, so that nobody takes it for a
-- loss.
local revoked, changes = KEYS[1], KEYS[2]
for _, name in ipairs(ARGV) do
  redis.call('HDEL', revoked, name)
  redis.call('ZREM', changes, name)
end
return 0
