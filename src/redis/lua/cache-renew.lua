-- Renews a turn, or takes it over from an earlier attempt of the same generation. One that was lost is not taken again:
-- it may have been taken away.
--
-- KEYS  1 turn  2 asked
-- ARGV  1 generation id  2 attempt  3 TTL of the turn, ms  4 TTL of an answer, ms
-- Answer: {"ok"} | {"fenced"}

local owner, attempt = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+)$')
if owner ~= ARGV[1] or tonumber(attempt) > tonumber(ARGV[2]) then
  return { 'fenced' }
end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return { 'ok' }
