-- Appends what a worker has streamed to the room log and to the generation's transcript, and publishes it.
--
-- Invariants
--   A1  Only the newest attempt of a generation that has not ended writes ("fenced").
--   A2  Append n of an attempt is written once: a repeated n writes nothing and is "ok"; a gap is "lost".
--   A3  After the cancel flag is set nothing is written ("cancelled").
--   A4  Log, transcript and rendered blocks change together: they are what the log's entries say.
--   A5  Every key has a TTL; those of a generation are renewed with that of the log.
--
-- KEYS  1 log  2 head  3 channel  4 generation  5 transcript  6 cancel  7 live  8 html
-- ARGV  1 attempt  2 n  3 max length of the log  4 TTL of the log, ms  5 TTL of live keys, ms
--       6 "go on" | "begin anew", for transcript and blocks  7 addition to the transcript
--       8 how many rendered blocks are done  9 how many events are published behind the entries and kept nowhere
--       then place and block of each block, each of those events as it is published, type and data of each entry
-- Answer: {"ok", id of the newest entry} | {"cancelled"} | {"fenced"} | {"lost"}

local state = redis.call('HMGET', KEYS[4], 'attempt', 'n', 'ended')
local attempt, n = tonumber(ARGV[1]), tonumber(ARGV[2])
if state[3] then
  return { 'fenced' }
end
if not state[1] or tonumber(state[1]) < attempt then
  return { 'lost' }
end
if tonumber(state[1]) > attempt then
  return { 'fenced' }
end
local written = tonumber(state[2])
if n <= written then
  return { 'ok', redis.call('HGET', KEYS[2], 'last') or '' }
end
if n > written + 1 then
  return { 'lost' }
end
if redis.call('EXISTS', KEYS[6]) == 1 then
  return { 'cancelled' }
end

local last, renewed = ensure_log(KEYS[1], KEYS[2], KEYS[3], ARGV[4])
local first_unlogged = 10 + 2 * tonumber(ARGV[8])
local first_entry = first_unlogged + tonumber(ARGV[9])
for i = first_entry, #ARGV, 2 do
  last = push(KEYS[1], KEYS[2], KEYS[3], last, ARGV[3], ARGV[i], ARGV[i + 1])
end
for i = first_unlogged, first_entry - 1 do
  redis.call('SPUBLISH', KEYS[3], ARGV[i])
end
redis.call('HSET', KEYS[2], 'last', last)
redis.call('HSET', KEYS[4], 'n', n)
if ARGV[6] == 'begin anew' then
  redis.call('SET', KEYS[5], ARGV[7])
  redis.call('DEL', KEYS[8])
elseif ARGV[7] ~= '' then
  redis.call('APPEND', KEYS[5], ARGV[7])
end
for i = 10, first_unlogged - 1, 2 do
  redis.call('HSET', KEYS[8], ARGV[i], ARGV[i + 1])
end
if renewed or ARGV[6] == 'begin anew' or first_unlogged > 10 then
  for _, i in ipairs({ 4, 5, 7, 8 }) do
    redis.call('PEXPIRE', KEYS[i], ARGV[5])
  end
end
return { 'ok', last }
