-- Lists leases in the order of their serials. Answers with the serial after which the next page begins, or with an
-- empty text where nothing is left, and then with subscriber and lease in turn. Answers with nothing while leases are
-- yet to be indexed, and has to be called again. ARGV[5]: the serial after which the page begins. ARGV[6], ARGV[7]:
-- how many leases it looks at, and the bytes after which it ends. ARGV[8] and on: digests of matchers, where only
-- leases are asked for that have one of them.
local after, most, room = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])

-- The serials of leases that have one of the matchers, in their order.
local function matchingSerials()
  local found, isFound = {}, {}
  for at = 8, #ARGV do
    local from, to = '(' .. ARGV[at] .. '\n' .. ordered(after), '(' .. ARGV[at] .. '\011'
    for _, member in ipairs(redis.call('ZRANGEBYLEX', matched, from, to, 'LIMIT', 0, most)) do
      local _, serial = split(member)
      if not isFound[serial] then found[#found + 1] = serial end
      isFound[serial] = true
    end
  end
  table.sort(found)
  return found
end

-- The same as subscriber and serial in turn.
local function matchingRows()
  local rows = {}
  for at, serial in ipairs(matchingSerials()) do
    if at > most then break end
    local subscriber = redis.call('ZRANGEBYSCORE', order, serial, serial)[1]
    -- An earlier version that deletes a lease leaves it in the index.
    if not subscriber then
      for digest = 8, #ARGV do redis.call('ZREM', matched, ARGV[digest] .. '\n' .. serial) end
    end
    rows[2 * at - 1], rows[2 * at] = subscriber or '', serial
  end
  return rows
end

local rows
if #ARGV < 8 then
  rows = redis.call('ZRANGEBYSCORE', order, '(' .. after, '+inf', 'WITHSCORES', 'LIMIT', 0, most)
elseif indexNext() then
  rows = matchingRows()
else
  return false
end

local answer, bytes = { '' }, 0
for at = 1, #rows, 2 do
  local subscriber, serial = rows[at], rows[at + 1]
  local lease = redis.call('HGET', leases, subscriber)
  if lease and not redis.call('ZSCORE', ending, subscriber) then
    answer[#answer + 1] = subscriber
    answer[#answer + 1] = lease
    bytes = bytes + #lease
  end
  if at + 1 == 2 * most or bytes >= room then
    answer[1] = serial
    break
  end
end
return answer
