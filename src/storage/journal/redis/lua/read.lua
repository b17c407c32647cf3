-- Answers with the rows after a position: as many as there are, up to a number of rows and of bytes, but at least one.
-- ARGV[6]: the position, ARGV[7]: the number of rows, ARGV[8]: the bytes.

-- Rows that are looked at together: few, because each of them may be large, and all are copied before they are counted.
local ROWS_AT_ONCE = 16

local from, most, room = '(' .. ARGV[6] .. '-18446744073709551615', tonumber(ARGV[7]), tonumber(ARGV[8])

-- Counts every field, because another program may have put anything into the stream.
local function sizeOfRow(fields)
  local size = 0
  for _, field in ipairs(fields) do size = size + #field end
  return size
end

local rows = {}
repeat
  local found = redis.call('XRANGE', log, from, '+', 'COUNT', math.min(most - #rows, ROWS_AT_ONCE))
  for _, row in ipairs(found) do
    room = room - sizeOfRow(row[2])
    if room < 0 and #rows > 0 then break end
    rows[#rows + 1] = row
    from = '(' .. row[1]
  end
until #found < ROWS_AT_ONCE or room <= 0 or #rows >= most
return report(unpack(rows))
