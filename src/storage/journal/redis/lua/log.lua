#!lua
-- The common beginning of all scripts of the log. A script is atomic, and so is its replication: a replica or the
-- append-only file has all of a script's effects or none.
--
-- Keys: `meta` (hash: epoch, head, nonce, bytes, last), `log` (the stream), `ids` (sorted set of `id LF position`, all
-- of the same score, so that a range by text finds an id's earliest position), `keys` (hash: idempotency key →
-- fingerprint LF id), and for an append `writer` (the writer's newest batch and what became of it).
--
-- An entry's stream id is `position-nonce`. The nonce is random for each batch, and each entry also has the nonce of
-- its predecessor, so a follower sees at the next entry whether the log is still the one that it has followed.

-- The most entries that one call of `trim` removes. An append trims before and after, so trimming keeps up with what is
-- added.
local TRIMMED_PER_CALL = 256

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

-- Whether the oldest entry, which was stored at `time`, is beyond a limit.
local function isOver(time)
  return length > maxEvents or bytes > maxBytes or time < now - maxAge
end

-- Removes entries that are beyond a limit, the oldest first, and their places in the indexes. Entries in excess of
-- `maxEvents` are read together, because a call for each would cost as much as appending it did.
local function trim()
  local left = TRIMMED_PER_CALL
  while left > 0 do
    local count = math.max(1, math.min(left, length - maxEvents))
    local gone, places = {}, {}
    for _, row in ipairs(redis.call('XRANGE', log, '-', '+', 'COUNT', count)) do
      local fields = row[2]
      -- What another program has put into the stream has no time: it counts as too old, and goes once it is the oldest.
      local id, key, content = fields[6] or '', fields[8] or '', fields[10] or ''
      if not isOver(tonumber(fields[4] or '') or 0) then break end
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
