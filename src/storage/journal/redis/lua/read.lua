-- Answers with the position up to which no other row is held, and with the rows after a position, first those of
-- updates and then those of presence records. They are as many as there are in the order of their positions, up to a
-- number of rows and of bytes, but at least one.
-- ARGV[9]: the position, ARGV[10]: the number of rows, ARGV[11]: the bytes.

-- Rows of a stream that are looked at together: few, because each of them may be large, and all are copied before they
-- are counted.
local ROWS_AT_ONCE = 16

local upTo, most, room = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local left = most

local function partOf(store)
  local from = '(' .. digits(upTo) .. '-18446744073709551615'
  return { stream = store.stream, from = from, found = {}, next = 1, answer = {}, isRead = store.length == 0 }
end

-- The next row of a stream that is not part of the answer yet.
local function nextOf(part)
  if part.next > #part.found and not part.isRead then
    local count = math.min(left, ROWS_AT_ONCE)
    part.found, part.next = redis.call('XRANGE', part.stream, part.from, '+', 'COUNT', count), 1
    part.isRead = #part.found < count
    if #part.found > 0 then part.from = '(' .. part.found[#part.found][1] end
  end
  return part.found[part.next]
end

local updatesPart, presencePart = partOf(updates), partOf(presence)
while left > 0 and room > 0 do
  local update, record = nextOf(updatesPart), nextOf(presencePart)
  if not update and not record then
    upTo = math.max(upTo, head)
    break
  end
  local isUpdate = update and (not record or positionOf(update[1]) < positionOf(record[1]))
  local part, row = isUpdate and updatesPart or presencePart, isUpdate and update or record
  room = room - sizeOfRow(row[2])
  if room < 0 and left < most then break end
  part.answer[#part.answer + 1] = row
  part.next = part.next + 1
  left = left - 1
  upTo = positionOf(row[1])
end
return report(digits(upTo), updatesPart.answer, presencePart.answer)
