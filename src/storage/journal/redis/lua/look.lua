-- Answers with the newest nonce, and with the nonce of the entry at a position if it is held. ARGV[6]: the position.
local row = redis.call('XRANGE', log, ARGV[6], ARGV[6], 'COUNT', 1)[1]
return report(nonce, row and string.match(row[1], '%d+$') or '')
