#!lua
-- The common beginning of all scripts of the leases. Times are milliseconds on Redis's clock without its leaps, which is
-- the same for every process.
--
-- Keys: `leases` (hash: subscriber → serial LF key LF details LF digests of its matchers, one a line), `order` (sorted
-- set: subscriber by serial), `away` (sorted set: subscribers that no connection has, by when their leases are over),
-- `places` (sorted set: the same subscribers as `key LF serial LF subscriber`, all of the same score, so that a range
-- by text finds those with a key), `ending` (sorted set: subscribers whose leases are over, by when another process
-- should tell it), `holders` (sorted set: processes, by when they count as dead), `held` (sorted set: `process LF ref
-- LF subscriber`, all of the same score: which connection has which lease), `answers` (hash: process → number LF
-- answer of its last changes), `serials` (the last serial), `matched` (sorted set: `digest of a matcher LF serial`,
-- all of the same score: which leases have it), `indexed` (the serial up to which all leases are in `matched`). The
-- digest of a matcher is the SHA-1 of its key, because that is the one that scripts have.
--
-- The leases of earlier versions of the hub end with their details, and are not in `matched`: see index.lua.
--
-- ARGV: process, milliseconds without a sign of life after which a process counts as dead, grace in milliseconds, the time
-- (see RedisClock).

-- The most dead processes that one call looks at, and the most leases that it releases of each process.
local DEAD_PROCESSES, RELEASED_PER_CALL = 8, 1000

-- The most leases that one call indexes, and the matchers after which it indexes, or removes from the index, no more.
local LEASES_PER_CALL, MATCHERS_PER_CALL = 100, 5000

local leases, order, away, places, ending, holders, held, answers, serials, matched, indexed = unpack(KEYS)
local process, lifetime, grace = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(ARGV[4])

-- Splits a text into its first line and the rest.
local function split(text)
  local lineEnd = string.find(text, '\n', 1, true)
  return string.sub(text, 1, lineEnd - 1), string.sub(text, lineEnd + 1)
end

-- Runs a command on the members of a sorted set that begin with `lines`. \011 is the character after the line end.
local function within(command, set, lines, ...)
  return redis.call(command, set, '[' .. lines .. '\n', '(' .. lines .. '\011', ...)
end

-- A serial as a text whose order is that of the numbers.
local function ordered(serial)
  return string.format('%016.0f', tonumber(serial))
end

local function placeOf(subscriber)
  local lease = redis.call('HGET', leases, subscriber)
  if not lease then return nil end
  local serial, rest = split(lease)
  return split(rest) .. '\n' .. ordered(serial) .. '\n' .. subscriber
end

-- The digests of a lease's matchers, one a line; nil for a lease of an earlier version.
local function matchersOf(lease)
  return string.match(lease, '^[^\n]*\n[^\n]*\n[^\n]*\n(.*)$')
end

-- Adds a lease to the index, or removes it, and answers with how many matchers it has.
local function addToIndex(serial, matchers)
  local count, rest = 0, '\n' .. ordered(serial)
  for digest in string.gmatch(matchers, '[^\n]+') do
    redis.call('ZADD', matched, 0, digest .. rest)
    count = count + 1
  end
  return count
end

local function removeFromIndex(serial, matchers)
  local count, rest = 0, '\n' .. ordered(serial)
  for digest in string.gmatch(matchers, '[^\n]+') do
    redis.call('ZREM', matched, digest .. rest)
    count = count + 1
  end
  return count
end

local function letGo(member)
  redis.call('ZREM', held, member)
  local _, rest = split(member)
  local _, subscriber = split(rest)
  local place = placeOf(subscriber)
  if not place then return end
  redis.call('ZADD', away, now + grace, subscriber)
  redis.call('ZADD', places, 0, place)
end

local function letAllGo(owner)
  local members = within('ZRANGEBYLEX', held, owner, 'LIMIT', 0, RELEASED_PER_CALL)
  for _, member in ipairs(members) do letGo(member) end
  if #members < RELEASED_PER_CALL then
    redis.call('ZREM', holders, owner)
    redis.call('HDEL', answers, owner)
  end
  return #members
end
