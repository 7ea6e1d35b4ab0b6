-- The room as it is now: the newest entry's id and what its live generations have written, at one instant.
-- The caller names the generations whose transcripts it asks for, since keys are not built in here; where others are
-- live it is told which, and asks again.
--
-- KEYS  1 log  2 head  3 channel  4 live  5.. transcripts
-- ARGV  1 TTL of the log, ms  2.. ids of the generations, in the order of the transcripts
-- Answer: {"ok", id of the newest entry, transcripts...} | {"others", ids...}

local live = redis.call('SMEMBERS', KEYS[4])
local asked = {}
for i = 2, #ARGV do
  asked[ARGV[i]] = true
end
local same = #live == #ARGV - 1
for _, id in ipairs(live) do
  same = same and asked[id]
end
if not same then
  return { 'others', unpack(live) }
end
local last = ensure_log(KEYS[1], KEYS[2], KEYS[3], ARGV[1])
local answer = { 'ok', last }
for i = 5, #KEYS do
  answer[#answer + 1] = redis.call('GET', KEYS[i]) or ''
end
return answer
