-- Answers with the stream id of the newest row up to a position; with an empty string when none is held.
-- ARGV[9]: the position.
local function newestUpTo(store)
  local row = redis.call('XREVRANGE', store.stream, ARGV[9], '-', 'COUNT', 1)[1]
  return row and row[1]
end

local newest = newestUpTo(updates)
if hasPresence then
  local record = newestUpTo(presence)
  if record and (not newest or positionOf(record) > positionOf(newest)) then newest = record end
else
  -- A follower waits for this stream as well, and would be woken again and again by what an earlier log has left.
  redis.call('DEL', presence.stream)
end
return report(newest or '')
