-- Lets an attempt of a generation write. The worker calls it after Postgres has confirmed the attempt, and alone.
--
-- Invariants
--   O1  A lower attempt than the one that is known, or any of an ended generation, is refused ("fenced").
--   O2  A higher attempt takes over what has been written.
--   O3  The same attempt again means that something was lost: the worker's own content, blocks and n replace what is
--       here, and the log begins anew, so that every reader resynchronises.
--
-- KEYS  1 log  2 head  3 channel  4 generation  5 transcript  6 live  7 html
-- ARGV  1 generation id  2 attempt  3 TTL of the log, ms  4 TTL of live keys, ms
--       5 "take over" | "replace"  6 n  7 the worker's transcript  8.. place and block of each that is done (6 to 8 with
--       "replace")
-- Answer: {"ok", transcript} | {"fenced"}

local state = redis.call('HMGET', KEYS[4], 'attempt', 'ended')
local attempt = tonumber(ARGV[2])
if state[2] or (state[1] and tonumber(state[1]) > attempt) then
  return { 'fenced' }
end

local n = 0
if ARGV[5] == 'replace' then
  n = ARGV[6]
  redis.call('SET', KEYS[5], ARGV[7])
  redis.call('DEL', KEYS[7])
  for i = 8, #ARGV, 2 do
    redis.call('HSET', KEYS[7], ARGV[i], ARGV[i + 1])
  end
  begin_log(KEYS[1], KEYS[2], KEYS[3], ARGV[3])
else
  redis.call('APPEND', KEYS[5], '')
end
redis.call('HSET', KEYS[4], 'attempt', attempt, 'n', n)
redis.call('SADD', KEYS[6], ARGV[1])
for i = 4, 7 do
  redis.call('PEXPIRE', KEYS[i], ARGV[4])
end
ensure_log(KEYS[1], KEYS[2], KEYS[3], ARGV[3])
return { 'ok', redis.call('GET', KEYS[5]) or '' }
