#!lua
-- The script with which the build of commit dbda041 appends, word for word, for tests in which it appends beside this one.
local meta, log, ids, keys = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local newEpoch, clock = ARGV[1], ARGV[2]
local maxEvents, maxBytes, maxAge = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local function digits(number)
  return string.format('%.0f', number)
end

local state = redis.call('HMGET', meta, 'epoch', 'head', 'nonce', 'bytes', 'last')
if not state[1] then
  redis.call('DEL', log, ids, keys)
  state = { newEpoch, '0', '0', '0', '' }
  redis.call('HSET', meta, 'epoch', newEpoch, 'head', 0, 'nonce', 0, 'bytes', 0, 'last', '')
end
local epoch, head, nonce, bytes, last = state[1], tonumber(state[2]), state[3], tonumber(state[4]), state[5]

local now = tonumber(clock)
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function member(id, position)
  return id .. '\n' .. string.format('%016.0f', position)
end

local function sizeOf(id, content)
  return 200 + #id + #content
end

local length = redis.call('XLEN', log)

-- Whether it is beyond a limit, when it is the oldest.
local function isOver(time)
  return length > maxEvents or bytes > maxBytes or time < now - maxAge
end

-- Lets go of what is beyond a limit, the oldest first, with its places in the indexes. As many are read at a time as are
-- too many for sure: a call each would cost as much as appending them did.
local function trim()
  local left = 256
  while left > 0 do
    local count = math.max(1, math.min(left, length - maxEvents))
    local gone, places = {}, {}
    for _, row in ipairs(redis.call('XRANGE', log, '-', '+', 'COUNT', count)) do
      local fields = row[2]
      local id, key, content = fields[6], fields[8], fields[10]
      if not isOver(tonumber(fields[4])) then break end
      gone[#gone + 1] = row[1]
      places[#places + 1] = member(id, tonumber(string.match(row[1], '^%d+')))
      if key ~= '' then redis.call('HDEL', keys, key) end
      length = length - 1
      bytes = bytes - sizeOf(id, content)
    end
    if #gone == 0 then return end
    redis.call('XDEL', log, unpack(gone))
    redis.call('ZREM', ids, unpack(places))
    redis.call('HSET', meta, 'bytes', digits(bytes))
    left = left - #gone
  end
end

local function report(...)
  return { epoch, digits(head), digits(length), last, ... }
end

trim()

local writer, number, batchNonce = KEYS[5], tonumber(ARGV[6]), ARGV[7]
local earlier = redis.call('GET', writer)
if earlier then
  local known = cjson.decode(earlier)
  if known.number > number then return redis.error_reply('STALE a newer batch of this writer has been stored') end
  if known.number == number then
    redis.call('EXPIRE', writer, 600)
    return report(unpack(known.outcomes))
  end
end

local function append(id, content, key, fingerprint)
  if key ~= '' then
    local first = redis.call('HGET', keys, key)
    if first then
      local lineEnd = string.find(first, '\n', 1, true)
      if string.sub(first, 1, lineEnd - 1) ~= fingerprint then return 'c' end
      return 'r' .. string.sub(first, lineEnd + 1)
    end
    redis.call('HSET', keys, key, fingerprint .. '\n' .. id)
  end
  head = head + 1
  local position = digits(head)
  redis.call('XADD', log, position .. '-' .. batchNonce, 'p', nonce, 't', digits(now), 'i', id, 'k', key, 'u', content)
  redis.call('ZADD', ids, 0, member(id, head))
  nonce, last, length, bytes = batchNonce, id, length + 1, bytes + sizeOf(id, content)
  return 's' .. position
end

local outcomes = {}
for first = 8, #ARGV, 4 do
  outcomes[#outcomes + 1] = append(ARGV[first], ARGV[first + 1], ARGV[first + 2], ARGV[first + 3])
end
redis.call('HSET', meta, 'head', digits(head), 'nonce', nonce, 'bytes', digits(bytes), 'last', last)
redis.call('SET', writer, cjson.encode({ number = number, outcomes = outcomes }), 'EX', 600)
trim()
return report(unpack(outcomes))
