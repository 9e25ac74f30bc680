/**
 * Every script is one step of Redis: nothing runs between its lines. A group is stopped by moving its last delivered id
 * past every id there can be; where it stood is kept in a hash beside the stream, one field for each group.
 * @source Redis 7.0 documentation, XGROUP SETID, XGROUP CREATE, XINFO, XPENDING
 */
const FIND = `local function fields(flat)
  local out = {}
  for n = 1, #flat, 2 do out[flat[n]] = flat[n + 1] end
  return out
end
local function streamOf(key)
  if redis.call('EXISTS', key) == 0 then return nil end
  return fields(redis.call('XINFO', 'STREAM', key))
end
local function groupOf(key, name)
  if redis.call('EXISTS', key) == 0 then return nil end
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
    local group = fields(flat)
    if group.name == name then return group end
  end
  return nil
end
local function stateOf(key, name)
  local text = redis.call('HGET', key, name)
  return text and cjson.decode(text) or { epoch = '-1', kind = 'start', id = '', read = '' }
end
`;

/** Higher than every id that XADD makes; one below the highest, because Redis counts one up from it. */
const PAST_ALL = "18446744073709551615-18446744073709551614";

/** KEYS: stream. Returns the last id it ever gave out. */
const END = `${FIND}
local stream = streamOf(KEYS[1])
return stream and stream['last-generated-id'] or '0-0'`;

/**
 * KEYS: stream, states. ARGV: group. Returns false, or: ids delivered, first pending ('' none), last, first kept and
 * last deleted, then the counts pending, kept, ever added, read ('' where Redis cannot say), and 1 when more follow.
 */
const PROGRESS = `${FIND}
local group = groupOf(KEYS[1], ARGV[1])
if not group then return false end
local stream, state = streamOf(KEYS[1]), stateOf(KEYS[2], ARGV[1])
local delivered, read = group['last-delivered-id'], group['entries-read'] or ''
if state.kind == 'stop' then delivered, read = state.id, state.read end
local pending = redis.call('XPENDING', KEYS[1], ARGV[1])
local more = #redis.call('XRANGE', KEYS[1], '(' .. delivered, '+', 'COUNT', 1)
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
return { delivered, pending[2] or '', stream['last-generated-id'], first[1] and first[1][1] or '',
  stream['max-deleted-entry-id'], tostring(pending[1]), tostring(stream['length']),
  tostring(stream['entries-added']), tostring(read), tostring(more) }`;

/** KEYS: stream, states. ARGV: group, epoch. Returns 'ok', or the epoch that is there. */
const STOP = `${FIND}
local state, epoch = stateOf(KEYS[2], ARGV[1]), tonumber(ARGV[2])
local seen = tonumber(state.epoch)
if epoch < seen or (epoch == seen and state.kind == 'start') then return state.epoch end
local group = groupOf(KEYS[1], ARGV[1])
if not group then return 'ok' end
if state.kind == 'start' then
  state.id, state.read = group['last-delivered-id'], tostring(group['entries-read'] or '')
  redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], '${PAST_ALL}')
end
state.kind, state.epoch = 'stop', ARGV[2]
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(state))
return 'ok'`;

/**
 * KEYS: stream, states. ARGV: group, epoch, id after which it begins. The group is made anew, so that nothing pending
 * from before is given to it. How many entries lie before the id is known where another group stands or stood there.
 */
const START = `${FIND}
local state, epoch = stateOf(KEYS[2], ARGV[1]), tonumber(ARGV[2])
local seen, after = tonumber(state.epoch), ARGV[3]
if epoch < seen then return state.epoch end
if epoch == seen and state.kind == 'start' and groupOf(KEYS[1], ARGV[1]) then return 'ok' end
local stream, read = streamOf(KEYS[1]), ''
if after == '0-0' then read = '0' end
if stream then
  if after == stream['last-generated-id'] then read = tostring(stream['entries-added']) end
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local group = fields(flat)
    if group['last-delivered-id'] == after and group['entries-read'] then read = tostring(group['entries-read']) end
  end
  for _, text in ipairs(redis.call('HVALS', KEYS[2])) do
    local other = cjson.decode(text)
    if other.kind == 'stop' and other.id == after and other.read ~= '' then read = other.read end
  end
end
if stream then redis.call('XGROUP', 'DESTROY', KEYS[1], ARGV[1]) end
if read == '' then redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], after, 'MKSTREAM')
else redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], after, 'MKSTREAM', 'ENTRIESREAD', read) end
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode({ epoch = ARGV[2], kind = 'start', id = '', read = '' }))
return 'ok'`;

export const SCRIPTS = { end: END, progress: PROGRESS, stop: STOP, start: START } as const;
