-- Answers with the position, padded with zeros, and the nonce of the earliest entry with an id; with two empty strings
-- when there is none. ARGV[6]: the id.
local prefix = ARGV[6] .. '\n'
local found = redis.call('ZRANGEBYLEX', ids, '[' .. prefix, '(' .. prefix .. ':', 'LIMIT', 0, 1)[1]
if not found then return report('', '') end
local position = string.sub(found, #prefix + 1)
local row = redis.call('XRANGE', log, digits(tonumber(position)), digits(tonumber(position)), 'COUNT', 1)[1]
return report(position, row and string.match(row[1], '%d+$') or '')
