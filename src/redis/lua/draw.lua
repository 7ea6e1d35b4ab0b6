-- Shows a rendered block that is not done yet: keeps it for those who join, and publishes it without logging it.
--
-- Invariants
--   D1  Only the newest attempt of a generation that has not ended draws.
--   D2  A block that is not done never takes the place of one that is: the worker sends nothing of a block after it is.
--
-- KEYS  1 generation  2 html  3 channel
-- ARGV  1 attempt  2 TTL of live keys, ms  3 place of the block  4 the block  5 the publication
-- Answer: {"ok"} | {"fenced"}

local state = redis.call('HMGET', KEYS[1], 'attempt', 'ended')
if state[2] or state[1] ~= ARGV[1] then
  return { 'fenced' }
end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('SPUBLISH', KEYS[3], ARGV[5])
return { 'ok' }
