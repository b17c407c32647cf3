-- Appends a batch. Answers for each update or presence record: `s` and its position when it was stored; `r` and the id
-- of the earlier one's last event when its idempotency key is held with the same fingerprint; `c` when the key is held
-- with another fingerprint. A batch that is sent again gets the answer of the first time. A batch that arrives after a
-- newer one of the same writer is refused.
--
-- ARGV after the eight of log.lua: the batch's number, its nonce, and six values for each entry: how many events a
-- presence record has, which is empty for an update; id, content, key, fingerprint, id of the last event.

-- Seconds for which a writer's newest batch is remembered: far longer than an append is tried again.
local WRITER_SECONDS = 600

local writer, number, batchNonce = KEYS[9], tonumber(ARGV[9]), ARGV[10]
local earlier = redis.call('GET', writer)
if earlier then
  local known = cjson.decode(earlier)
  if known.number > number then return redis.error_reply('STALE a newer batch of this writer has been stored') end
  if known.number == number then
    redis.call('EXPIRE', writer, WRITER_SECONDS)
    return report(unpack(known.outcomes))
  end
end

-- What an earlier log has left is removed, because its positions may be higher.
local function beginPresence()
  storeOldest()
  redis.call('DEL', presence.stream, presence.keys)
  hasPresence = true
end

local function append(events, id, content, key, fingerprint, last)
  local store = events == '' and updates or presence
  if store == presence and not hasPresence then beginPresence() end
  if key ~= '' then
    local first = redis.call('HGET', store.keys, key)
    if first then
      local lineEnd = string.find(first, '\n', 1, true)
      if string.sub(first, 1, lineEnd - 1) ~= fingerprint then return 'c' end
      return 'r' .. string.sub(first, lineEnd + 1)
    end
    redis.call('HSET', store.keys, key, fingerprint .. '\n' .. last)
  end
  head = head + (tonumber(events) or 1)
  local position = digits(head)
  local row = position .. '-' .. batchNonce
  local more = events == '' and {} or { 'n', events }
  redis.call('XADD', store.stream, row, 'p', nonce, 't', digits(now), 'i', id, 'k', key, 'u', content, unpack(more))
  if store.ids then redis.call('ZADD', store.ids, 0, member(id, head)) end
  if store.length == 0 then store.first = row end
  store.length, store.bytes, store.last = store.length + 1, store.bytes + sizeOf(id, content), last
  if store == presence then presenceHead = head end
  nonce = batchNonce
  return 's' .. position
end

local outcomes = {}
for first = 11, #ARGV, 6 do
  outcomes[#outcomes + 1] = append(unpack(ARGV, first, first + 5))
end
save()
redis.call('SET', writer, cjson.encode({ number = number, outcomes = outcomes }), 'EX', WRITER_SECONDS)
trimAll()
return report(unpack(outcomes))
