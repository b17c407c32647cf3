-- Appends a batch. Answers for each update: `s` and its position when it was stored; `r` and the id of the earlier
-- update when its idempotency key is held with the same fingerprint; `c` when the key is held with another fingerprint.
-- A batch that is sent again gets the answer of the first time. A batch that arrives after a newer one of the same
-- writer is refused.
--
-- ARGV after the five of log.lua: the batch's number, its nonce, and four values for each update: id, content, key,
-- fingerprint.

-- Seconds for which a writer's newest batch is remembered: far longer than an append is tried again.
local WRITER_SECONDS = 600

local writer, number, batchNonce = KEYS[5], tonumber(ARGV[6]), ARGV[7]
local earlier = redis.call('GET', writer)
if earlier then
  local known = cjson.decode(earlier)
  if known.number > number then return redis.error_reply('STALE a newer batch of this writer has been stored') end
  if known.number == number then
    redis.call('EXPIRE', writer, WRITER_SECONDS)
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
redis.call('SET', writer, cjson.encode({ number = number, outcomes = outcomes }), 'EX', WRITER_SECONDS)
trim()
return report(unpack(outcomes))
