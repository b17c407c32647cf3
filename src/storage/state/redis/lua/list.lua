-- Answers with three values for each lease: subscriber, lease, and `1` if it is over. ARGV[4]: the serial after which
-- the list begins; ARGV[5]: how many leases it has at most.
local answer = {}
for _, subscriber in ipairs(redis.call('ZRANGEBYSCORE', order, '(' .. ARGV[4], '+inf', 'LIMIT', 0, ARGV[5])) do
  answer[#answer + 1] = subscriber
  answer[#answer + 1] = redis.call('HGET', leases, subscriber)
  answer[#answer + 1] = redis.call('ZSCORE', ending, subscriber) and '1' or ''
end
return answer
