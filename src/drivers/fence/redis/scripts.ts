/**
 * Every write is one script: Redis runs nothing between its lines. A record's lines are those of codec.ts. Times come
 * from the server's TIME, so that callers' clocks have no say.
 */
const NOW = `local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`;

/** Splits the first seven lines and returns the rest untouched. */
const PARSE = `local function parse(v)
  local state, attempt, token, beat, lease, created, expires, rest =
    string.match(v, '^(%u)\\n([^\\n]*)\\n(%d+)\\n(%d+)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n(.*)$')
  return state, attempt, token, beat, lease, created, expires, rest
end
`;

/**
 * KEYS: token counter, then one key for each claim. ARGV: three for each claim: attempt, lease in ms, and the lines
 * after the times (prefixed with the first token of a lease: 1, or 0 to take the counter).
 * Returns the time, then for each claim the token of a new grant or the record that is there.
 */
const CLAIM = `${NOW}
local at = string.format('%.0f', now)
local base = redis.call('INCRBY', KEYS[1], #KEYS - 1) - (#KEYS - 1)
local out = { at }
for n = 2, #KEYS do
  local a = (n - 2) * 3
  local tail = ARGV[a + 3]
  local token = string.sub(tail, 1, 1) == '1' and 1 or base + n - 1
  local head = 'L\\n' .. ARGV[a + 1] .. '\\n' .. string.format('%.0f', token) .. '\\n0\\n' .. string.format('%.0f', now + ARGV[a + 2])
  if redis.call('SET', KEYS[n], head .. '\\n' .. at .. '\\n-\\n' .. string.sub(tail, 2), 'NX') then out[n] = token
  else out[n] = redis.call('GET', KEYS[n]) end
end
return out`;

/**
 * KEYS: counter, record. ARGV: record as read, attempt, lease in ms, lines after the times, next token ('' = counter).
 */
const REGRANT = `${NOW}
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return false end
local token = ARGV[5]
if token == '' then token = string.format('%.0f', redis.call('INCR', KEYS[1])) end
local head = 'L\\n' .. ARGV[2] .. '\\n' .. token .. '\\n0\\n' .. string.format('%.0f', now + ARGV[3])
redis.call('SET', KEYS[2], head .. '\\n' .. string.format('%.0f', now) .. '\\n-\\n' .. ARGV[4])
return tonumber(token)`;

/** KEYS: record. ARGV: record as read, its next text ('' deletes), time to live in ms ('' = for ever). */
const SWAP = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
elseif ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`;

/** KEYS: records. ARGV: four for each: attempt, token, result, retention in ms. Returns an answer for each. */
const COMPLETE = `${NOW}${PARSE}
local out = {}
for n = 1, #KEYS do
  local a = (n - 1) * 4
  local v = redis.call('GET', KEYS[n])
  if not v then out[n] = 'missing'
  else
    local state, attempt, token, beat, lease, created, expires, rest = parse(v)
    if attempt ~= ARGV[a + 1] or token ~= ARGV[a + 2] or state == 'F' then out[n] = 'superseded'
    else
      out[n] = 'stored'
      if state ~= 'D' then
        local head = 'D\\n' .. attempt .. '\\n' .. token .. '\\n' .. beat .. '\\n' .. lease .. '\\n' .. created
        local fixed = string.match(rest, '^([^\\n]*\\n[^\\n]*\\n[^\\n]*\\n[^\\n]*\\n)')
        local expires = string.format('%.0f', now + ARGV[a + 4])
        redis.call('SET', KEYS[n], head .. '\\n' .. expires .. '\\n' .. fixed .. ARGV[a + 3], 'PX', ARGV[a + 4])
      end
    end
  end
end
return out`;

/** KEYS: record. ARGV: attempt, token, lease in ms, note line ('' keeps it). */
const RENEW = `${NOW}${PARSE}
local v = redis.call('GET', KEYS[1])
if not v then return 0 end
local state, attempt, token, beat, lease, created, expires, rest = parse(v)
if state ~= 'L' or attempt ~= ARGV[1] or token ~= ARGV[2] then return 0 end
if ARGV[4] ~= '' then rest = ARGV[4] .. string.match(rest, '^[^\\n]*(\\n.*)$') end
local head = 'L\\n' .. attempt .. '\\n' .. token .. '\\n' .. string.format('%.0f', beat + 1)
redis.call('SET', KEYS[1], head .. '\\n' .. string.format('%.0f', now + ARGV[3]) .. '\\n' .. created .. '\\n' .. expires .. '\\n' .. rest)
return 1`;

/** KEYS: record. Returns it with the server's time. */
const READ = `${NOW}
return { string.format('%.0f', now), redis.call('GET', KEYS[1]) }`;

export const SCRIPTS = {
  claim: CLAIM,
  regrant: REGRANT,
  swap: SWAP,
  complete: COMPLETE,
  renew: RENEW,
  read: READ,
} as const;
export type ScriptName = keyof typeof SCRIPTS;
