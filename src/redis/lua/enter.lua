-- Lets a request to a provider go, or tells how long it has to wait.
--
-- Invariants
--   R1  No request goes while the provider is held.
--   R2  As far as is known what the provider has left, requests go only as many at once: those that have gone and whose
--       answer has not told yet what is left after them are taken off.
--   R3  What was left is known until its reset; from then on as many are taken to be left as there are in all.
--
-- KEYS  1 limits  2 entered
-- ARGV  1 id of the request  2 TTL of it, ms: who has not answered by then is forgotten
--       3 how long to wait for one of those that have gone, ms
-- Answer: {"go"} | {"wait", ms}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limits = redis.call('HMGET', KEYS[1], 'held', 'remaining', 'reset', 'limit')
local held = tonumber(limits[1] or 0)
if held > now then
  return { 'wait', string.format('%.0f', held - now) }
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local known = limits[3] and tonumber(limits[3]) > now
local left = tonumber(known and limits[2] or limits[4] or math.huge)
if left <= redis.call('ZCARD', KEYS[2]) then
  return { 'wait', ARGV[3] }
end
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return { 'go' }
