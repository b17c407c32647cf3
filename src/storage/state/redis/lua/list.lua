-- Answers with subscriber, lease, and `1` where it is over, in turn. ARGV: after which serial, how many.
local answer = {}
for _, subscriber in ipairs(redis.call('ZRANGEBYSCORE', order, '(' .. ARGV[4], '+inf', 'LIMIT', 0, ARGV[5])) do
  answer[#answer + 1] = subscriber
  answer[#answer + 1] = redis.call('HGET', leases, subscriber)
  answer[#answer + 1] = redis.call('ZSCORE', ending, subscriber) and '1' or ''
end
return answer
