-- Applies a batch of changes, seven arguments each: `e` (enter) or `l` (leave), ref, key, details, digests of its
-- matchers, one a line, the subscriber's name if the lease is new, and `1` if the connection may take up a lease.
-- Answers with three values for each `e`: `n` for a new lease or `r` for one that was taken up, subscriber, serial.
-- Answers with nothing when the process is not known. ARGV[5] is the number of the batch: a batch that is sent again
-- gets the answer of the first time.
if not redis.call('ZSCORE', holders, process) then return false end

local earlier = redis.call('HGET', answers, process)
if earlier then
  local number, answer = split(earlier)
  if number == ARGV[5] then return cjson.decode(answer) end
end

local function take(key)
  local place = within('ZRANGEBYLEX', places, key, 'LIMIT', 0, 1)[1]
  if not place then return nil end
  local _, rest = split(place)
  local _, subscriber = split(rest)
  redis.call('ZREM', places, place)
  redis.call('ZREM', away, subscriber)
  return subscriber
end

local function enter(ref, key, details, matchers, name, isResuming)
  local former = isResuming and take(key)
  local subscriber = former or name
  redis.call('ZADD', held, 0, process .. '\n' .. ref .. '\n' .. subscriber)
  if former then return 'r', former, (split(redis.call('HGET', leases, former))) end
  local serial = redis.call('INCR', serials)
  redis.call('HSET', leases, name, serial .. '\n' .. key .. '\n' .. details .. '\n' .. matchers)
  redis.call('ZADD', order, serial, name)
  addToIndex(serial, matchers)
  -- Otherwise an earlier version has made leases in between, which are yet to be indexed.
  if tonumber(redis.call('GET', indexed) or '0') == serial - 1 then redis.call('SET', indexed, serial) end
  return 'n', name, tostring(serial)
end

local entered = {}
for at = 6, #ARGV, 7 do
  local kind, ref, key, details, matchers, name, isResuming = unpack(ARGV, at, at + 6)
  if kind == 'e' then
    for _, part in ipairs({ enter(ref, key, details, matchers, name, isResuming == '1') }) do
      entered[#entered + 1] = part
    end
  else
    local member = within('ZRANGEBYLEX', held, process .. '\n' .. ref, 'LIMIT', 0, 1)[1]
    if member then letGo(member) end
  end
end
redis.call('HSET', answers, process, ARGV[5] .. '\n' .. cjson.encode(entered))
return entered
