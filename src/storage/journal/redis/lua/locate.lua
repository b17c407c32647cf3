-- Answers with the stream id of the earliest update with an id; with an empty string when there is none. ARGV[9]: the id.
local prefix = ARGV[9] .. '\n'
local found = redis.call('ZRANGEBYLEX', updates.ids, '[' .. prefix, '(' .. prefix .. ':', 'LIMIT', 0, 1)[1]
if not found then return report('') end
local position = digits(tonumber(string.sub(found, #prefix + 1)))
local row = redis.call('XRANGE', updates.stream, position, position, 'COUNT', 1)[1]
return report(row and row[1] or '')
