#!lua
-- Stores the report of a process. Answers with id and report of all processes that have reported lately. Key: hash of
-- id → time LF report. ARGV: id, report, milliseconds after which a process counts as dead.
local processes = KEYS[1]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('HSET', processes, ARGV[1], string.format('%.0f', now) .. '\n' .. ARGV[2])
local answer = {}
local rows = redis.call('HGETALL', processes)
for at = 1, #rows, 2 do
  local lineEnd = string.find(rows[at + 1], '\n', 1, true)
  if tonumber(string.sub(rows[at + 1], 1, lineEnd - 1)) < now - tonumber(ARGV[3]) then
    redis.call('HDEL', processes, rows[at])
  else
    answer[#answer + 1] = rows[at]
    answer[#answer + 1] = string.sub(rows[at + 1], lineEnd + 1)
  end
end
return answer
