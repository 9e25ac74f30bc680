/**
 * The first lines of a script of Redis that starts or stops a consumer. KEYS[1]: hash of the consumers' notes. ARGV:
 * consumer, epoch, kind. They return 'same' or the epoch that is there, else note it and let the script go on.
 */
export const NOTE = `local states, name, epoch, kind = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local text = redis.call('HGET', states, name)
local seen = text and cjson.decode(text) or { epoch = -1, kind = 'none' }
if epoch < seen.epoch or (epoch == seen.epoch and kind == 'stop' and seen.kind == 'start') then
  return tostring(seen.epoch)
end
if epoch == seen.epoch and kind == seen.kind then return 'same' end
redis.call('HSET', states, name, cjson.encode({ epoch = epoch, kind = kind }))
`;
