#!lua
-- The common beginning of all scripts of the log. A script is atomic, and so is its replication: a replica or the
-- append-only file has all of a script's effects or none.
--
-- Two stores, one of updates and one of presence records, take their positions from one counter. Each has a stream and
-- `keys` (hash: idempotency key → fingerprint LF id of the last event). Updates also have `ids` (sorted set of
-- `id LF position`, all of the same score, so that a range by text finds an id's earliest position).
--
-- Keys: `meta` (hash: epoch, head, nonce, the newest removal, time, and the fields of each store), the three of the updates,
-- the two of presence, `removals` (stream: which positions were removed), `followers` (hash: follower's name → number of
-- the newest removal that it has told LF time of its last sign of life), and for an append `writer` (the writer's newest
-- batch and what became of it).
--
-- A row's stream id is `position-nonce`. The nonce is random for each batch, and each row also has the nonce of its
-- predecessor, whichever store that lies in, so a follower sees at the next row whether the log is still the one that
-- it has followed. A presence record takes as many positions as it has events; its row has the last of them.

-- The most rows that one call of `trim` removes. An append trims before and after, so trimming keeps up with what is
-- added.
local TRIMMED_PER_CALL = 256

local meta = KEYS[1]
local newEpoch, clock = ARGV[1], ARGV[2]

local function digits(number)
  return string.format('%.0f', number)
end

local state = redis.call('HMGET', meta, 'epoch', 'head', 'nonce', 'bytes', 'last', 'oldest', 'first',
  'presence-bytes', 'presence-last', 'presence-oldest', 'presence-first', 'presence-head', 'removal', 'time')
if not state[1] then
  redis.call('DEL', unpack(KEYS, 2, 8))
  state = { newEpoch, '0', '0', '0', '' }
  redis.call('HSET', meta, 'epoch', newEpoch, 'head', 0, 'nonce', 0, 'bytes', 0, 'last', '')
end
local epoch, head, nonce = state[1], tonumber(state[2]), state[3]

-- Whether a presence record was ever stored in this log. Until then nothing of presence is read.
local hasPresence = state[10] and true or false

-- Whether `oldest` of the updates is stored. Until the first presence record or the first removal it is counted, because
-- builds that do not store it may append and trim beside this one.
local hasOldest = state[6] and true or false

-- The newest removal, as `number-nonce`. Its row in `removals` has this stream id.
local removal = state[13] or '0-0'

-- `last` is the id of the newest event, `oldest` the position after that of the newest trimmed row, and `first` the
-- stream id of the oldest row after the last trimming: empty when there was none.
local updates = {
  prefix = '', stream = KEYS[2], ids = KEYS[3], keys = KEYS[4],
  maxEvents = tonumber(ARGV[3]), maxBytes = tonumber(ARGV[4]), maxAge = tonumber(ARGV[5]),
  bytes = tonumber(state[4]), last = state[5], oldest = tonumber(state[6]), first = state[7] or nil,
  length = redis.call('XLEN', KEYS[2])
}
local presence = {
  prefix = 'presence-', stream = KEYS[5], keys = KEYS[6],
  maxEvents = tonumber(ARGV[6]), maxBytes = tonumber(ARGV[7]), maxAge = tonumber(ARGV[8]),
  bytes = tonumber(state[8]) or 0, last = state[9] or '', oldest = tonumber(state[10]) or 1, first = state[11] or '',
  length = hasPresence and redis.call('XLEN', KEYS[5]) or 0
}
local presenceHead = tonumber(state[12]) or 0

local function redisTime()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- The newest time that a process has stored or given a sign of life at. Redis's own clock may leap, and no script can
-- tell, so each process says what time it is by its own monotonic clock (`RedisClock`). Time never goes back. A process
-- that has not heard from Redis yet goes by what others have said, and by Redis's clock where nobody has.
local stored = tonumber(state[14] or '')
local now = math.max(tonumber(clock) or stored or redisTime(), stored or 0)

local function positionOf(rowId)
  return tonumber(string.match(rowId, '^%d+'))
end

local function member(id, position)
  return id .. '\n' .. string.format('%016.0f', position)
end

local function sizeOf(id, content)
  return 200 + #id + #content
end

local function addFields(fields, store)
  for _, field in ipairs({ 'bytes', 'last', 'oldest', 'first' }) do
    local value = store[field]
    fields[#fields + 1] = store.prefix .. field
    fields[#fields + 1] = type(value) == 'number' and digits(value) or value
  end
end

local function save()
  local fields = { 'head', digits(head), 'nonce', nonce, 'bytes', digits(updates.bytes), 'last', updates.last,
    'time', digits(now) }
  if hasOldest then addFields(fields, updates) end
  if hasPresence then
    addFields(fields, presence)
    fields[#fields + 1] = 'presence-head'
    fields[#fields + 1] = digits(presenceHead)
  end
  redis.call('HSET', meta, unpack(fields))
end

-- The position from which on every update is held.
local function oldestUpdate()
  return hasOldest and updates.oldest or head - updates.length + 1
end

-- From here on, `oldest` is stored: positions can't be counted any more.
local function storeOldest()
  updates.oldest = oldestUpdate()
  hasOldest = true
end

-- Whether a store's oldest row, which was stored at `time`, is beyond a limit.
local function isOver(store, time)
  return store.length > store.maxEvents or store.bytes > store.maxBytes or time < now - store.maxAge
end

-- Notes a store's oldest row. When it is not the one that was left last, an older build or another program has trimmed,
-- and what lies before it counts as trimmed.
local function noteFirst(store, row)
  local first = row and row[1] or ''
  if store.first and store.first ~= first then store.oldest = row and positionOf(first) or head + 1 end
  store.first = first
end

-- Removes a store's rows that are beyond a limit, the oldest first, and their places in the indexes. Rows in excess of
-- `maxEvents` are read together, because a call for each would cost as much as appending it did.
local function trim(store)
  local left, wasFirst = TRIMMED_PER_CALL, store.first
  repeat
    local count = math.max(1, math.min(left, store.length - store.maxEvents))
    local gone, places = {}, {}
    local rows = redis.call('XRANGE', store.stream, '-', '+', 'COUNT', count)
    noteFirst(store, rows[1])
    for _, row in ipairs(rows) do
      local fields = row[2]
      -- What another program has put into the stream has no time: it counts as too old, and goes once it is the oldest.
      local id, key, content = fields[6] or '', fields[8] or '', fields[10] or ''
      if left == 0 or not isOver(store, tonumber(fields[4] or '') or 0) then break end
      gone[#gone + 1] = row[1]
      places[#places + 1] = member(id, positionOf(row[1]))
      if key ~= '' then redis.call('HDEL', store.keys, key) end
      store.length = store.length - 1
      store.bytes = store.bytes - sizeOf(id, content)
      left = left - 1
    end
    if #gone > 0 then
      redis.call('XDEL', store.stream, unpack(gone))
      if store.ids then redis.call('ZREM', store.ids, unpack(places)) end
      store.oldest, store.first = positionOf(gone[#gone]) + 1, nil
    end
  until #gone == 0
  if left < TRIMMED_PER_CALL or (hasOldest and store.first ~= wasFirst) then save() end
end

local function trimAll()
  trim(updates)
  if hasPresence then trim(presence) end
end

-- The id of the newest event that is held: a store's newest row is the last one that is trimmed. `presenceHead` is the
-- position up to which that is one of presence.
local function lastId()
  if presence.length > 0 and (presenceHead == head or updates.length == 0) then return presence.last end
  return updates.length > 0 and updates.last or ''
end

local function report(...)
  return { epoch, digits(head), nonce, digits(oldestUpdate()), digits(presence.oldest), lastId(), digits(redisTime()),
    digits(now), ... }
end

trimAll()
