-- Reads the room log from a place on.
--
-- Invariant
--   R1  Nothing is answered as "ok" unless the chain from `after` holds: `after` is the newest entry, or it is in the
--       log and the entry behind it names it.
--
-- KEYS  1 log  2 head
-- ARGV  1 after  2 how many entries at the most
-- Answer: {"gone"} | {"ok", id of the newest entry, entries as of XRANGE}

local last = redis.call('HGET', KEYS[2], 'last')
if not last or redis.call('XLEN', KEYS[1]) == 0 then
  return { 'gone' }
end
if ARGV[1] == last then
  return { 'ok', last, {} }
end
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then
  return { 'gone' }
end
local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
if #entries == 0 or entries[1][2][2] ~= ARGV[1] then
  return { 'gone' }
end
return { 'ok', last, entries }
