-- Deletes the answer to a request. A generation that has the turn loses it, so that what it writes is not kept either.
--
-- KEYS  1 answers  2 until  3 bytes  4 turn  5 channel
-- ARGV  1 request  2 id of the generation that is forgotten
-- Answer: {"ok"}

local length = redis.call('HSTRLEN', KEYS[1], ARGV[1])
if length > 0 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('DECRBY', KEYS[3], length)
end
if string.match(redis.call('GET', KEYS[4]) or '', '^%S+') == ARGV[2] then
  redis.call('DEL', KEYS[4])
  redis.call('SPUBLISH', KEYS[5], ARGV[1])
end
return { 'ok' }
