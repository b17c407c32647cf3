-- Answers with the stream id of the newest row up to a position, which is empty when none is held, with the newest
-- removal, and with what a follower has not told of yet: whether that is known, and the positions of each removal.
-- ARGV[9]: the position, ARGV[10]: the follower's name, which is empty for somebody else, ARGV[11]: the newest removal
-- that it has told of.

-- Milliseconds after which a follower that has given no sign of life is forgotten.
local FORGOTTEN = 60000

local function signOfLife(name, told)
  redis.call('HSET', meta, 'time', digits(now))
  local isNew = redis.call('HSET', KEYS[8], name, string.match(told, '^%d+') .. '\n' .. digits(now)) == 1
  if not isNew then return end
  local signs = redis.call('HGETALL', KEYS[8])
  for index = 1, #signs, 2 do
    local last = tonumber(string.match(signs[index + 1], '%d+$'))
    if last < now - FORGOTTEN then redis.call('HDEL', KEYS[8], signs[index]) end
  end
end

-- The removals after one; nothing when that one is not among those that are kept, so that some may be missing.
local function removalsAfter(told)
  if told == removal then return {} end
  local rows = redis.call('XRANGE', KEYS[7], told == '0-0' and '-' or told, '+')
  local isKnown = rows[1] and (rows[1][1] == told or (told == '0-0' and positionOf(rows[1][1]) == 1))
  if not isKnown then return nil end
  local removals = {}
  for _, row in ipairs(rows) do
    if row[1] ~= told then removals[#removals + 1] = row[2][2] end
  end
  return removals
end

local function newestUpTo(store)
  local row = redis.call('XREVRANGE', store.stream, ARGV[9], '-', 'COUNT', 1)[1]
  return row and row[1]
end

local newest = newestUpTo(updates)
if hasPresence then
  local record = newestUpTo(presence)
  if record and (not newest or positionOf(record) > positionOf(newest)) then newest = record end
else
  -- A follower waits for this stream as well, and would be woken again and again by what an earlier log has left.
  redis.call('DEL', presence.stream)
end
if ARGV[10] == '' then return report(newest or '', removal) end

-- For the same reason as above.
if removal == '0-0' then redis.call('DEL', KEYS[7]) end
local removals = removalsAfter(ARGV[11])
signOfLife(ARGV[10], removals and ARGV[11] or '0-0')
return report(newest or '', removal, removals and 1 or 0, unpack(removals or {}))
