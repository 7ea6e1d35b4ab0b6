-- Put before every script: what they share.
--
-- Invariants of a room log
--   L1  `last` is the id of the newest entry, and every entry names in `p` the id of the entry before it.
--   L2  An entry is in the stream before it is published; a publication only wakes.
--   L3  A log that is missing, or whose `last` is, begins with an `origin` entry, the only one with an empty `p`.
--       Whoever stood anywhere else cannot find its own place named as `p` and takes a snapshot.
--   L4  Ids increase as long as the stream's key lives, wherever the clock goes: a log is emptied by XTRIM, never by DEL.
--   L5  `log` and `head` have one TTL, set together: neither outlives the other. A write renews it once a tenth of it has
--       gone, so nine tenths at least are left behind the newest entry.
--   L6  No id is given twice: not in another room, and not in this one after a loss, however soon after it and on
--       whatever clock. Every call takes a millisecond behind that of the stream's newest id, and numbers its entries
--       from a number that was drawn for this call.
--
-- An entry has the fields p (the id before), t (the event's type), d (its payload, JSON without the cursor).
-- A publication is "<p> <id> <t> <d>".
--
-- ARGV  the last, behind those of the script: the caller's draw, a random number below 2^47. It is taken off here.

local draw = table.remove(ARGV)

-- The parts of the id that this call has given last.
local ms, seq

-- The next id behind `newest`, the newest one of the stream (L4, L6).
local function next_id(newest)
  if ms then
    seq = seq + 1
  else
    local time = redis.call('TIME')
    ms = math.max(time[1] * 1000 + math.floor(time[2] / 1000), string.match(newest, '^%d+') + 1)
    seq = tonumber(draw)
  end
  return string.format('%.0f-%.0f', ms, seq)
end

-- The newest id that the stream has ever had.
local function newest_id(log)
  if redis.call('EXISTS', log) == 0 then
    return '0-0'
  end
  local info = redis.call('XINFO', 'STREAM', log)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
      return info[i + 1]
    end
  end
end

-- Adds an entry behind `prev`. Answers its id.
local function push(log, head, channel, prev, max_length, event_type, data)
  local id = next_id(prev == '' and newest_id(log) or prev)
  redis.call('XADD', log, 'MAXLEN', '~', max_length, id, 'p', prev, 't', event_type, 'd', data)
  redis.call('SPUBLISH', channel, prev .. ' ' .. id .. ' ' .. event_type .. ' ' .. data)
  return id
end

-- Sets the TTL of a log (L5).
local function renew(log, head, ttl_ms)
  redis.call('PEXPIRE', log, ttl_ms)
  redis.call('PEXPIRE', head, ttl_ms)
end

-- Begins a log with nothing in it (L3, L4). Answers the id of its origin.
local function begin_log(log, head, channel, ttl_ms)
  redis.call('XTRIM', log, 'MAXLEN', 0)
  local last = push(log, head, channel, '', 1, 'origin', '{}')
  redis.call('HSET', head, 'last', last)
  renew(log, head, ttl_ms)
  return last
end

-- Begins the log where there is none (L3), and keeps it alive (L5). Answers the id of the newest entry, and whether the
-- TTL was renewed.
local function ensure_log(log, head, channel, ttl_ms)
  local last = redis.call('HGET', head, 'last')
  if not last or redis.call('XLEN', log) == 0 then
    return begin_log(log, head, channel, ttl_ms), true
  end
  local is_old = redis.call('PTTL', log) < 0.9 * ttl_ms
  if is_old then
    renew(log, head, ttl_ms)
  end
  return last, is_old
end
