/*
 * What runs inside Redis. Each script is atomic, and so is its replication: a replica or the append-only file has all of
 * a script's effects or none. The `#!lua` line makes Redis refuse a script that writes on a replica and when memory is
 * short, before it begins.
 *
 * Keys: `meta` (hash: epoch, head, nonce, bytes, last), `log` (the stream), `ids` (sorted set of `id LF position`, all of
 * the same score, so that a range by text finds an id's earliest position), `keys` (hash: idempotency key → fingerprint
 * LF id), and for an append `writer` (the writer's newest batch and what became of it).
 *
 * An entry's stream id is `position-nonce`. The nonce is random for each batch, and each entry has its predecessor's:
 * whoever follows the stream sees at the next entry that it is not the log that was followed until now.
 */

/** Entries that one trimming lets go of at most; a call trims before and after, so it keeps up with what it adds. */
const TRIMMED_PER_CALL = 256;

/** Seconds for which a writer that is gone stays known. Far longer than an append is tried again. */
const WRITER_SECONDS = 600;

const PRELUDE = `#!lua
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
  return id .. '\\n' .. string.format('%016.0f', position)
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
  local left = ${TRIMMED_PER_CALL}
  while left > 0 do
    local count = math.max(1, math.min(left, length - maxEvents))
    local gone, places = {}, {}
    for _, row in ipairs(redis.call('XRANGE', log, '-', '+', 'COUNT', count)) do
      local fields = row[2]
      -- What another program has put there instead is of no age, and goes as soon as it is the oldest.
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
`;

/**
 * Appends a batch, and answers for each update: `s` and its position where it was stored, `r` and the first id where its
 * idempotency key is held, `c` where that came with another content. A batch that comes again gets the answer that it
 * got; one that arrives after a newer one of the same writer is refused.
 *
 * ARGV after the common five: the batch's number, its nonce, and four for each update: id, content, key, fingerprint.
 */
export const APPEND = `${PRELUDE}
local writer, number, batchNonce = KEYS[5], tonumber(ARGV[6]), ARGV[7]
local earlier = redis.call('GET', writer)
if earlier then
  local known = cjson.decode(earlier)
  if known.number > number then return redis.error_reply('STALE a newer batch of this writer has been stored') end
  if known.number == number then
    redis.call('EXPIRE', writer, ${WRITER_SECONDS})
    return report(unpack(known.outcomes))
  end
end

local function append(id, content, key, fingerprint)
  if key ~= '' then
    local first = redis.call('HGET', keys, key)
    if first then
      local lineEnd = string.find(first, '\\n', 1, true)
      if string.sub(first, 1, lineEnd - 1) ~= fingerprint then return 'c' end
      return 'r' .. string.sub(first, lineEnd + 1)
    end
    redis.call('HSET', keys, key, fingerprint .. '\\n' .. id)
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
redis.call('SET', writer, cjson.encode({ number = number, outcomes = outcomes }), 'EX', ${WRITER_SECONDS})
trim()
return report(unpack(outcomes))
`;

/** Answers with the position of the earliest entry with an id, padded with zeros, and its nonce; or with nothing. ARGV[6]: the id. */
export const LOCATE = `${PRELUDE}
local prefix = ARGV[6] .. '\\n'
local found = redis.call('ZRANGEBYLEX', ids, '[' .. prefix, '(' .. prefix .. ':', 'LIMIT', 0, 1)[1]
if not found then return report('', '') end
local position = string.sub(found, #prefix + 1)
local row = redis.call('XRANGE', log, digits(tonumber(position)), digits(tonumber(position)), 'COUNT', 1)[1]
return report(position, row and string.match(row[1], '%d+$') or '')
`;

/** Answers with the newest nonce, and with the nonce of the entry at a position if it is held. ARGV[6]: the position. */
export const LOOK = `${PRELUDE}
local row = redis.call('XRANGE', log, ARGV[6], ARGV[6], 'COUNT', 1)[1]
return report(nonce, row and string.match(row[1], '%d+$') or '')
`;

export const LOG_SCRIPTS = [APPEND, LOCATE, LOOK];
