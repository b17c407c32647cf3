#!lua
-- Answers with epoch and version, and then with number, name and limit of each revocation that has changed since the
-- version that the process knows. Keys: as in revoke.lua. ARGV: the epoch and the version that the process knows, and
-- how many revocations it takes at most.
local revoked, changes, versions = unpack(KEYS)
local epoch = redis.call('HGET', versions, 'epoch') or ''
local version = redis.call('HGET', versions, 'version') or '0'
local after = epoch == ARGV[1] and ARGV[2] or '0'
local answer = { epoch, version }
local rows = redis.call('ZRANGEBYSCORE', changes, '(' .. after, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
for at = 1, #rows, 2 do
  for _, part in ipairs({ rows[at + 1], rows[at], redis.call('HGET', revoked, rows[at]) }) do answer[#answer + 1] = part end
end
return answer
