-- Takes a lease that is free, keeps one that the caller has, or gives it back.
--
-- Invariants:
--   * A lease that somebody has is not taken from them before its TTL is over.
--   * Nobody has it for longer than a lease lasts, whatever becomes of its TTL: one that has none, or a longer one than is
--     asked for (the server's clock was set back), is free.
--
-- KEYS  1 lease
-- ARGV  1 who asks  2 TTL, ms; 0: gives it back
-- Answer: {"ok"} | {"held"}: another one has it

local givesBack = ARGV[2] == '0'
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  local left = redis.call('PTTL', KEYS[1])
  if givesBack or (left >= 0 and left <= tonumber(ARGV[2])) then
    return { 'held' }
  end
end
if givesBack then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return { 'ok' }
