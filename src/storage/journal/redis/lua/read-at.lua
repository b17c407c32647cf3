-- Answers with the last position that was looked at, and with the rows of updates at positions, up to a number of bytes,
-- but at least one.
-- ARGV[9]: the bytes, and then the positions in order.
local room, upTo, rows = tonumber(ARGV[9]), '0', {}
for index = 10, #ARGV do
  local row = redis.call('XRANGE', updates.stream, ARGV[index], ARGV[index], 'COUNT', 1)[1]
  if row then
    room = room - sizeOfRow(row[2])
    if room < 0 and #rows > 0 then break end
    rows[#rows + 1] = row
  end
  upTo = ARGV[index]
end
return report(upTo, rows)
