-- Records a sign of life. Answers with leases that are over, subscriber and lease in turn; or with nothing when the
-- process holds another number of leases than it says, or says that it holds some and is not known. ARGV[5] and on: how
-- many leases the process holds, how many it takes at most, and the milliseconds in which it should tell that they are
-- over.
local expected, most, patience = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local isKnown = redis.call('ZSCORE', holders, process)
if within('ZLEXCOUNT', held, process) ~= expected or (expected > 0 and not isKnown) then return false end
redis.call('ZADD', holders, now + lifetime, process)

for _, dead in ipairs(redis.call('ZRANGEBYSCORE', holders, '-inf', now, 'LIMIT', 0, DEAD_PROCESSES)) do
  letAllGo(dead)
end

local over = redis.call('ZRANGEBYSCORE', ending, '-inf', now, 'LIMIT', 0, most)
for _, subscriber in ipairs(redis.call('ZRANGEBYSCORE', away, '-inf', now, 'LIMIT', 0, most - #over)) do
  redis.call('ZREM', away, subscriber)
  local place = placeOf(subscriber)
  if place then redis.call('ZREM', places, place) end
  over[#over + 1] = subscriber
end

local answer = {}
for _, subscriber in ipairs(over) do
  local lease = redis.call('HGET', leases, subscriber)
  redis.call('ZADD', ending, now + patience, subscriber)
  answer[#answer + 1] = subscriber
  answer[#answer + 1] = lease
end
return answer
