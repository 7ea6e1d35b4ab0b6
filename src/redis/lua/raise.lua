-- Raises the cancel flag of a generation, unless it has ended.
--
-- Invariant
--   C1  No flag is left of a generation that has ended: `tell` takes the flag away as it notes the end, and behind that
--       none is raised.
--
-- KEYS  1 generation  2 cancel
-- ARGV  1 TTL of the flag, ms
-- Answer: {"raised"} | {"ended"}

if redis.call('HEXISTS', KEYS[1], 'ended') == 1 then
  return { 'ended' }
end
redis.call('SET', KEYS[2], 1, 'PX', ARGV[1])
return { 'raised' }
