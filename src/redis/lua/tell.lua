-- Appends events of the outbox to the room log, in order, and closes the generations that they end.
--
-- Invariants
--   T1  An outbox row is in a log once: ids increase within a room, and what is not above `outbox` is skipped.
--   T2  After the event that ends a generation nothing of it is written (`ended` fences), and its transcript is gone;
--       its rendered blocks stay as long as `ended` does.
--
-- KEYS  1 log  2 head  3 channel  4 live  then for each generation that ends: its generation, transcript, cancel, html
-- ARGV  1 max length of the log  2 TTL of the log, ms  3 how long `ended` fences, ms
--       then for each event: outbox id, type, data, index in KEYS of the ended generation's key or 0, its id or ""
-- Answer: id of the newest entry

local last = ensure_log(KEYS[1], KEYS[2], KEYS[3], ARGV[2])
local told = tonumber(redis.call('HGET', KEYS[2], 'outbox') or 0)
for i = 4, #ARGV, 5 do
  local outbox_id = tonumber(ARGV[i])
  if outbox_id > told then
    last = push(KEYS[1], KEYS[2], KEYS[3], last, ARGV[1], ARGV[i + 1], ARGV[i + 2])
    told = outbox_id
  end
  local ended = tonumber(ARGV[i + 3])
  if ended > 0 then
    redis.call('HSET', KEYS[ended], 'ended', 1)
    redis.call('PEXPIRE', KEYS[ended], ARGV[3])
    redis.call('DEL', KEYS[ended + 1], KEYS[ended + 2])
    redis.call('PEXPIRE', KEYS[ended + 3], ARGV[3])
    redis.call('SREM', KEYS[4], ARGV[i + 4])
  end
end
redis.call('HSET', KEYS[2], 'outbox', told, 'last', last)
return last
