-- Takes a lease that is free, keeps one that the caller has, or gives it back.
--
-- Invariant: a lease that somebody has is not taken from them before its TTL is over.
--
-- KEYS  1 lease
-- ARGV  1 who asks  2 TTL, ms; 0: gives it back
-- Answer: {"ok"} | {"held"}: another one has it

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return { 'held' }
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return { 'ok' }
