/*
 * What runs inside Redis for the shared state; see `redis-script.ts` for what scripts are good for. Times are
 * milliseconds on Redis's clock, which is the same for every process.
 */

const CLOCK = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
`;

/** What one call looks at, at most. */
const DEAD_PROCESSES = 8;
const RELEASED_PER_CALL = 1_000;

/**
 * Keys: `leases` (hash: subscriber → serial LF key LF about), `order` (sorted set: subscriber by serial), `away` (those
 * that nobody has, by when they are over), `places` (the same, as `key LF serial LF subscriber`, all of the same score, so
 * that a range by text finds those with a key), `ending` (those that are over, by when somebody else should tell it),
 * `holders` (processes, by when they count as dead), `held` (`process LF ref LF subscriber`, by text: which connection has
 * which lease), `answers` (hash: process → number LF answer of its last changes), `serials` (the last serial).
 *
 * ARGV: process, milliseconds after which it counts as dead, grace in milliseconds.
 */
const PRELUDE = `#!lua
local leases, order, away, places, ending, holders, held, answers, serials = unpack(KEYS)
local process, lifetime, grace = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
${CLOCK}
-- The first line, and the rest.
local function split(text)
  local lineEnd = string.find(text, '\\n', 1, true)
  return string.sub(text, 1, lineEnd - 1), string.sub(text, lineEnd + 1)
end

-- Everything in a sorted set of texts that has this as its first lines. \\011 is the character after the line end.
local function within(command, set, lines, ...)
  return redis.call(command, set, '[' .. lines .. '\\n', '(' .. lines .. '\\011', ...)
end

local function placeOf(subscriber)
  local lease = redis.call('HGET', leases, subscriber)
  if not lease then return nil end
  local serial, rest = split(lease)
  return split(rest) .. '\\n' .. string.format('%016.0f', tonumber(serial)) .. '\\n' .. subscriber
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
  local members = within('ZRANGEBYLEX', held, owner, 'LIMIT', 0, ${RELEASED_PER_CALL})
  for _, member in ipairs(members) do letGo(member) end
  if #members < ${RELEASED_PER_CALL} then
    redis.call('ZREM', holders, owner)
    redis.call('HDEL', answers, owner)
  end
  return #members
end
`;

/**
 * Applies changes: six arguments each, `e` or `l`, ref, key, about, a name for a new lease, and `1` for who resumes.
 * Answers with three for each who comes: `n` for a new lease or `r`, subscriber, serial. ARGV[4] is their number: the same
 * again gets the answer that it got.
 */
export const CHANGE = `${PRELUDE}
if not redis.call('ZSCORE', holders, process) then return false end

local earlier = redis.call('HGET', answers, process)
if earlier then
  local number, answer = split(earlier)
  if number == ARGV[4] then return cjson.decode(answer) end
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

local function enter(ref, key, about, name, isResuming)
  local former = isResuming and take(key)
  local subscriber = former or name
  redis.call('ZADD', held, 0, process .. '\\n' .. ref .. '\\n' .. subscriber)
  if former then return 'r', former, (split(redis.call('HGET', leases, former))) end
  local serial = redis.call('INCR', serials)
  redis.call('HSET', leases, name, serial .. '\\n' .. key .. '\\n' .. about)
  redis.call('ZADD', order, serial, name)
  return 'n', name, tostring(serial)
end

local entered = {}
for at = 5, #ARGV, 6 do
  local ref = ARGV[at + 1]
  if ARGV[at] == 'e' then
    for _, part in ipairs({ enter(ref, ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5] == '1') }) do
      entered[#entered + 1] = part
    end
  else
    local member = within('ZRANGEBYLEX', held, process .. '\\n' .. ref, 'LIMIT', 0, 1)[1]
    if member then letGo(member) end
  end
end
redis.call('HSET', answers, process, ARGV[4] .. '\\n' .. cjson.encode(entered))
return entered
`;

/**
 * A sign of life. Answers with what is over, subscriber and lease in turn. ARGV: how many the process holds, how many it
 * takes, and milliseconds in which it should have told of them.
 */
export const RENEW = `${PRELUDE}
local expected, most, patience = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local isKnown = redis.call('ZSCORE', holders, process)
if within('ZLEXCOUNT', held, process) ~= expected or (expected > 0 and not isKnown) then return false end
redis.call('ZADD', holders, now + lifetime, process)

for _, dead in ipairs(redis.call('ZRANGEBYSCORE', holders, '-inf', now, 'LIMIT', 0, ${DEAD_PROCESSES})) do
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
`;

/** Lets go of what the process holds. Answers with how many it was: 0 when there are no more. */
export const RELEASE = `${PRELUDE}
return letAllGo(process)
`;

/** ARGV[4] and on: subscribers. */
export const FORGET = `${PRELUDE}
for at = 4, #ARGV do
  redis.call('HDEL', leases, ARGV[at])
  redis.call('ZREM', order, ARGV[at])
  redis.call('ZREM', ending, ARGV[at])
end
return 0
`;

/** Answers with subscriber, lease, and `1` where it is over, in turn. ARGV: after which serial, how many. */
export const LIST = `${PRELUDE}
local answer = {}
for _, subscriber in ipairs(redis.call('ZRANGEBYSCORE', order, '(' .. ARGV[4], '+inf', 'LIMIT', 0, ARGV[5])) do
  answer[#answer + 1] = subscriber
  answer[#answer + 1] = redis.call('HGET', leases, subscriber)
  answer[#answer + 1] = redis.call('ZSCORE', ending, subscriber) and '1' or ''
end
return answer
`;

/**
 * Keys: `revoked` (hash: name → limit), `changes` (sorted set: name by the number of its last change), `about` (hash:
 * epoch, version). ARGV: an epoch in case that there is none; then name and limit in turn.
 */
export const REVOKE = `#!lua
local revoked, changes, about = unpack(KEYS)
redis.call('HSETNX', about, 'epoch', ARGV[1])
for at = 2, #ARGV, 2 do
  local name, limit = ARGV[at], ARGV[at + 1]
  local earlier = redis.call('HGET', revoked, name)
  if not earlier or tonumber(limit) > tonumber(earlier) then
    redis.call('HSET', revoked, name, limit)
    redis.call('ZADD', changes, redis.call('HINCRBY', about, 'version', 1), name)
  end
end
return 0
`;

/**
 * Answers with epoch and version, and with number, name and limit of what changed since. The same keys. ARGV: the epoch
 * and the version that the process knows, and how many it takes.
 */
export const REVOKED = `#!lua
local revoked, changes, about = unpack(KEYS)
local epoch = redis.call('HGET', about, 'epoch') or ''
local version = redis.call('HGET', about, 'version') or '0'
local after = epoch == ARGV[1] and ARGV[2] or '0'
local answer = { epoch, version }
local rows = redis.call('ZRANGEBYSCORE', changes, '(' .. after, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
for at = 1, #rows, 2 do
  for _, part in ipairs({ rows[at + 1], rows[at], redis.call('HGET', revoked, rows[at]) }) do answer[#answer + 1] = part end
end
return answer
`;

/**
 * Tells of a process, and answers with id and report of all that did so lately. Key: hash of id → time LF report. ARGV:
 * id, report, milliseconds after which a process counts as dead.
 */
export const REPORT = `#!lua
local processes = KEYS[1]
${CLOCK}
redis.call('HSET', processes, ARGV[1], string.format('%.0f', now) .. '\\n' .. ARGV[2])
local answer = {}
local rows = redis.call('HGETALL', processes)
for at = 1, #rows, 2 do
  local lineEnd = string.find(rows[at + 1], '\\n', 1, true)
  if tonumber(string.sub(rows[at + 1], 1, lineEnd - 1)) < now - tonumber(ARGV[3]) then
    redis.call('HDEL', processes, rows[at])
  else
    answer[#answer + 1] = rows[at]
    answer[#answer + 1] = string.sub(rows[at + 1], lineEnd + 1)
  end
end
return answer
`;

export const STATE_SCRIPTS = [CHANGE, RENEW, RELEASE, FORGET, LIST, REVOKE, REVOKED, REPORT];
