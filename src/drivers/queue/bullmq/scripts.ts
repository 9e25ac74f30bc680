import { NOTE } from "../redis-note.ts";

/*
 * Every script is one step of Redis. Which epoch started or stopped a consumer is kept in a hash of ours, one field for
 * each; the lists are BullMQ's own. It takes the next job from the tail of `wait`.
 * @source BullMQ 6.7 lua/addStandardJob, moveToActive, retryJob, moveStalledJobsToWait, pause
 */
/** KEYS: states, meta, marker. ARGV: consumer, epoch, kind. Returns 'noted', 'same', or the epoch that is there. */
const STOP = `${NOTE}
redis.call('HSET', KEYS[2], 'paused', 1)
redis.call('DEL', KEYS[3])
return 'noted'`;

/**
 * KEYS: states, meta, marker, wait, active, stalled, prioritized. ARGV: consumer, epoch, kind, prefix of job keys. What
 * was active goes back to the tail of \`wait\`, the oldest last, without its lock: who had it can settle it no more.
 */
const START = `${NOTE}
local held = redis.call('LRANGE', KEYS[5], 0, -1)
for _, id in ipairs(held) do
  redis.call('DEL', ARGV[4] .. id .. ':lock')
  redis.call('SREM', KEYS[6], id)
  redis.call('RPUSH', KEYS[4], id)
end
if #held > 0 then redis.call('DEL', KEYS[5]) end
redis.call('HDEL', KEYS[2], 'paused')
if redis.call('LLEN', KEYS[4]) + redis.call('ZCARD', KEYS[7]) > 0 then redis.call('ZADD', KEYS[3], 0, '0') end
return 'noted'`;

/**
 * KEYS: states, meta, id, wait, active, prioritized, delayed. ARGV: consumer, now in ms. Returns false, or: jobs ever
 * added, the lowest number that is known to be open ('' none is known), active, waiting, delayed and due.
 */
const PROGRESS = `if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('EXISTS', KEYS[2]) == 0 then return false end
local lowest = nil
local function see(id)
  local number = tonumber(id)
  if number and (lowest == nil or number < lowest) then lowest = number end
  if not number then lowest = 0 end
end
for _, id in ipairs(redis.call('LRANGE', KEYS[5], 0, -1)) do see(id) end
local tail = redis.call('LINDEX', KEYS[4], -1)
if tail then see(tail) end
local due = redis.call('ZCOUNT', KEYS[7], '-inf', (tonumber(ARGV[2]) + 1) * 4096 - 1)
local ranked = redis.call('ZCARD', KEYS[6])
if due + ranked > 0 then lowest = 0 end
return { redis.call('GET', KEYS[3]) or '0', lowest and string.format('%.0f', lowest) or '',
  tostring(redis.call('LLEN', KEYS[5])), tostring(redis.call('LLEN', KEYS[4]) + ranked + due) }`;

export const SCRIPTS = { stop: STOP, start: START, progress: PROGRESS } as const;
