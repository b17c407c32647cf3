-- Answers with the stream id of the earliest update with an id; with an empty string when there is none. ARGV[9]: the id.
local prefix = ARGV[9] .. '\n'
while true do
  local found = redis.call('ZRANGEBYLEX', updates.ids, '[' .. prefix, '(' .. prefix .. ':', 'LIMIT', 0, 1)[1]
  if not found then return report('') end
  local position = digits(tonumber(string.sub(found, #prefix + 1)))
  local row = redis.call('XRANGE', updates.stream, position, position, 'COUNT', 1)[1]
  if row then return report(row[1]) end
  -- The row was damaged when it was removed, so its id was not known.
  redis.call('ZREM', updates.ids, found)
end
