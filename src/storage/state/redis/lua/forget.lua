-- Deletes leases that are over. ARGV[4] and on: their subscribers.
for at = 4, #ARGV do
  redis.call('HDEL', leases, ARGV[at])
  redis.call('ZREM', order, ARGV[at])
  redis.call('ZREM', ending, ARGV[at])
end
return 0
