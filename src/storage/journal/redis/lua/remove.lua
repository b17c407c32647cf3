-- Removes updates, with whatever leads to them, and notes that for all who follow the log. Answers with the removal's id;
-- with an empty string, and removes nothing, when another log is meant than this one.
--
-- ARGV[9]: the epoch of the log that is meant, ARGV[10]: the removal's nonce, and for each update its position and its
-- nonce, which is empty where it is not known.

-- How many removals are kept for those who have not told of them yet.
local REMOVALS = 1000

-- Rows that are looked at together for the newest one that is not damaged.
local NEWEST = 16

local rows, positions = {}, {}
if ARGV[9] ~= epoch then return report('') end
for index = 11, #ARGV, 2 do
  local position, known = ARGV[index], ARGV[index + 1]
  local row = redis.call('XRANGE', updates.stream, position, position, 'COUNT', 1)[1]
  if row and known ~= '' and row[1] ~= position .. '-' .. known then return report('') end
  rows[#rows + 1] = row
  -- What comes after the head will be another update.
  if tonumber(position) <= head then positions[#positions + 1] = position end
end

-- A key may lead to another row where another program has changed this one.
local function removeKey(key, id)
  local held = redis.call('HGET', updates.keys, key)
  if held and string.sub(held, string.find(held, '\n', 1, true) + 1) == id then redis.call('HDEL', updates.keys, key) end
end

local function remove(row)
  local id, key, content = row[2][6] or '', row[2][8] or '', row[2][10] or ''
  redis.call('XDEL', updates.stream, row[1])
  redis.call('ZREM', updates.ids, member(id, positionOf(row[1])))
  if key ~= '' then removeKey(key, id) end
  updates.length, updates.bytes = updates.length - 1, updates.bytes - sizeOf(id, content)
end

-- Notes which rows are the oldest and the newest now.
local function noteEnds()
  local oldest = redis.call('XRANGE', updates.stream, '-', '+', 'COUNT', 1)[1]
  updates.first = oldest and oldest[1] or ''
  local newest = redis.call('XREVRANGE', updates.stream, '+', '-', 'COUNT', NEWEST)
  updates.last = ''
  for _, row in ipairs(newest) do
    if row[2][5] == 'i' then
      updates.last = row[2][6]
      break
    end
  end
  if presence.length == 0 then return end
  local record = redis.call('XREVRANGE', presence.stream, '+', '-', 'COUNT', 1)[1]
  local isNewer = #newest == 0 or positionOf(record[1]) > positionOf(newest[1][1])
  presenceHead = isNewer and head or positionOf(record[1])
end

if #rows > 0 then
  if not hasOldest then storeOldest() end
  for _, row in ipairs(rows) do remove(row) end
  noteEnds()
  save()
end
-- What an earlier log has left.
if removal == '0-0' then redis.call('DEL', KEYS[7]) end
removal = digits(tonumber(string.match(removal, '^%d+')) + 1) .. '-' .. ARGV[10]
redis.call('XADD', KEYS[7], 'MAXLEN', REMOVALS, removal, 'at', table.concat(positions, ','))
redis.call('HSET', meta, 'removal', removal)
return report(removal)
