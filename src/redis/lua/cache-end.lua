-- Ends a turn, with the answer or without one, and wakes who waits for it.
--
-- Invariants
--   C3  Only who has the turn ends it, and only with the turn is an answer kept (K2 in docs/decisions/0006).
--   C4  `bytes` is the length of all answers together, and at most the limit; those that end first go first.
--   C5  `answers`, `until` and `bytes` have one TTL, set together: none outlives the others.
--
-- KEYS  1 answers  2 until  3 bytes  4 turn  5 asked  6 channel
-- ARGV  1 request  2 generation id  3 attempt  4 TTL of an answer, ms  5 most bytes of all answers
--       6 the answer; "": there is none
-- Answer: {"kept"} | {"none"} | {"fenced"}

if redis.call('GET', KEYS[4]) ~= ARGV[2] .. ' ' .. ARGV[3] then
  return { 'fenced' }
end
redis.call('DEL', KEYS[4])
local request, answer, most = ARGV[1], ARGV[6], tonumber(ARGV[5])
local kept = answer ~= '' and #answer <= most
if kept then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local bytes = tonumber(redis.call('GET', KEYS[3]) or 0)
  local function drop(old)
    bytes = bytes - redis.call('HSTRLEN', KEYS[1], old)
    redis.call('HDEL', KEYS[1], old)
    redis.call('ZREM', KEYS[2], old)
  end
  drop(request)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
    drop(old)
  end
  while bytes + #answer > most do
    local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
    if not oldest then
      bytes = 0
      break
    end
    drop(oldest)
  end
  redis.call('HSET', KEYS[1], request, answer)
  redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[4]), request)
  redis.call('SET', KEYS[3], bytes + #answer)
  for i = 1, 3 do
    redis.call('PEXPIRE', KEYS[i], ARGV[4])
  end
  redis.call('SET', KEYS[5], request, 'PX', ARGV[4])
end
redis.call('SPUBLISH', KEYS[6], request)
return { kept and 'kept' or 'none' }
