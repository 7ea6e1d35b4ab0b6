-- Takes the answer to a request, or else the turn to ask the model for it.
--
-- Invariants
--   C1  At most one generation has the turn for a request (K2 in docs/decisions/0006).
--   C2  A later attempt of the generation that has it takes it over; an earlier one does not get it back.
--
-- KEYS  1 answers  2 until  3 turn  4 asked
-- ARGV  1 request  2 generation id  3 attempt  4 TTL of the turn, ms  5 TTL of an answer, ms
-- Answer: {"answer", answer} | {"turn"} | {"held", ms after which the turn is free if nobody renews it}

local time = redis.call('TIME')
local left = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0)
  - (time[1] * 1000 + math.floor(time[2] / 1000))
local answer = left > 0 and redis.call('HGET', KEYS[1], ARGV[1])
if answer then
  redis.call('SET', KEYS[4], ARGV[1], 'PX', left)
  return { 'answer', answer }
end
local owner, attempt = string.match(redis.call('GET', KEYS[3]) or '', '^(%S+) (%d+)$')
if owner and (owner ~= ARGV[2] or tonumber(attempt) > tonumber(ARGV[3])) then
  return { 'held', tostring(redis.call('PTTL', KEYS[3])) }
end
redis.call('SET', KEYS[3], ARGV[2] .. ' ' .. ARGV[3], 'PX', ARGV[4])
redis.call('SET', KEYS[4], ARGV[1], 'PX', ARGV[5])
return { 'turn' }
