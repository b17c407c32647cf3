-- Indexes leases that an earlier version of the hub has made, which tell their matchers in their details alone. There
-- are some after an upgrade, and while processes of both versions run.

local function digestsIn(details)
  local digests = {}
  for at, one in ipairs(cjson.decode(details).matchers) do
    digests[at] = redis.sha1hex(one.matcher.type .. ':' .. one.matcher.pattern)
  end
  return table.concat(digests, '\n')
end

-- Indexes one lease where that is yet to be done, and answers with how many matchers it has then.
local function indexLease(subscriber)
  local lease = redis.call('HGET', leases, subscriber)
  if not lease or matchersOf(lease) then return 0 end
  local serial, rest = split(lease)
  local _, details = split(rest)
  local isRead, digests = pcall(digestsIn, details)
  local matchers = isRead and digests or ''
  redis.call('HSET', leases, subscriber, lease .. '\n' .. matchers)
  return addToIndex(serial, matchers)
end

-- Indexes the next leases that are not known to be indexed, and answers whether all are.
local function indexNext()
  local last, upTo = redis.call('GET', serials) or '0', redis.call('GET', indexed) or '0'
  if tonumber(upTo) >= tonumber(last) then return true end
  local rows = redis.call('ZRANGEBYSCORE', order, '(' .. upTo, '+inf', 'WITHSCORES', 'LIMIT', 0, LEASES_PER_CALL)
  local count = 0
  for at = 1, #rows, 2 do
    count, upTo = count + indexLease(rows[at]), rows[at + 1]
    if count >= MATCHERS_PER_CALL then break end
  end
  local isAll = count < MATCHERS_PER_CALL and #rows < 2 * LEASES_PER_CALL
  redis.call('SET', indexed, isAll and last or upTo)
  return isAll
end
