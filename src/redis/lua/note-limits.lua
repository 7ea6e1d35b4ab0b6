-- Notes what a provider has told of its limits, and that a request has been answered.
--
-- Invariants
--   R4  A hold is never shortened: answers overtake each other on their way here.
--
-- KEYS  1 limits  2 entered
-- ARGV  1 id of the request, "" for none  2 TTL of the limits, ms  3 for how long the provider is held from now on, ms
--       4 how many requests are left, "" where that is not known  5 until their reset, ms
--       6 how many there are in all, "" where that is not known
-- Answer: {for how long the provider is held, ms}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREM', KEYS[2], ARGV[1])
local held = math.max(tonumber(redis.call('HGET', KEYS[1], 'held') or 0), now + ARGV[3])
if held > now then
  redis.call('HSET', KEYS[1], 'held', string.format('%.0f', held))
end
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], 'remaining', ARGV[4], 'reset', string.format('%.0f', now + ARGV[5]))
  if ARGV[6] == '' then
    redis.call('HDEL', KEYS[1], 'limit')
  else
    redis.call('HSET', KEYS[1], 'limit', ARGV[6])
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { string.format('%.0f', held - now) }
