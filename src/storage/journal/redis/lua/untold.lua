-- Answers with how many followers have not told of a removal yet. Those that give no sign of life any more do not count.
-- ARGV[9]: the removal's number, ARGV[10]: the milliseconds within which a follower gives a sign of life.
local eldest, untold = now - tonumber(ARGV[10]), 0
for _, sign in ipairs(redis.call('HVALS', KEYS[8])) do
  local told, time = string.match(sign, '^(%d+)\n(%d+)$')
  if tonumber(told) < tonumber(ARGV[9]) and tonumber(time) >= eldest then untold = untold + 1 end
end
return report(digits(untold))
