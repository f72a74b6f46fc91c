import { createHash } from 'node:crypto'
import { ENDED, RAISED } from './announcement-text.ts'

/** A script as the server knows it. */
export interface Script {
  readonly lua: string
  readonly sha: string
}

/** The last part of the channel's name, after the prefix of all keys. */
export const CHANNEL = 'ends'

/**
 * The value of a record is one line that scripts can read, `<version> <lastSeenAt> <idleDeadline> <write>`, and its
 * JSON on the next line. `live` says whether its deadline is after ARGV[1]. Versions are compared as text.
 *
 * `write` is `<epoch>.<name of the write>`. A driver that lost the connection before the answer sends the same write
 * again. By its name, the second write finds that the first write has already won.
 */
const HEAD = `
local value = redis.call('GET', KEYS[1])
local version, seen, idle, write, rest
if value then version, seen, idle, write, rest = string.match(value, '^(%S+) (%S+) (%S+) (%S+)(\\n.*)$') end
local live = rest and (tonumber(idle) or 0) > tonumber(ARGV[1])
`

/** Lets the set live as long as its last entry. ARGV[3] is an instant, ARGV[4] the milliseconds from now until then. */
const OUTLIVE = `
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
return 1
`

/**
 * Tells all processes that the session of this record ended or changed hands. `name` is the part of the key after `s:`.
 *
 * The channel is made of the key, because a driver may have put a prefix of its own before it. The channel is a plain
 * channel. A sharded channel would lie in the slot of its key, so a listener would need one subscription for each slot.
 * A Cluster carries a plain message to all of its nodes, and sessions end far less often than they are read. A user who
 * may not publish still ends sessions: `pcall` keeps the refusal from failing the write.
 */
const announce = (name: string): string => `
redis.pcall('PUBLISH', string.sub(KEYS[1], 1, -#${name} - 3) .. '${CHANNEL}', '${ENDED}' .. ${name})`

/** The time that an expired entry is kept, in milliseconds. A process whose clock is behind still counts on it. */
const KEPT = 600_000

/** Everything that the store asks of a server, except for the plain `GET`. Each script works on one key. */
export const SCRIPTS: Readonly<Record<RecordScript | IndexScript | StoreScript, Script>> = {
  /** Returns how the server makes room when its memory is full; nothing when the server has no limit. */
  eviction: script(`
local memory = redis.call('INFO', 'memory')
if string.match(memory, '\\nmaxmemory:(%d+)') == '0' then return false end
return string.match(memory, '\\nmaxmemory_policy:([%w-]+)')`),

  /** ARGV: now, write, value, milliseconds to live. */
  create: script(`${HEAD}
if live then return write == ARGV[2] and 1 or 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 1`),

  /** ARGV: now, write, value, milliseconds to live, expected version, name. */
  update: script(`${HEAD}
if not live then return 0 end
if version ~= ARGV[5] then return write == ARGV[2] and 1 or 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
if string.match(write, '^%d+%.') ~= string.match(ARGV[2], '^%d+%.') then ${announce('ARGV[6]')} end
return 1`),

  /** ARGV: now, expected version, lastSeenAt, idleDeadline. */
  touch: script(`${HEAD}
if not live or version ~= ARGV[2] then return 0 end
if tonumber(ARGV[3]) > (tonumber(seen) or 0) then seen = ARGV[3] end
if tonumber(ARGV[4]) > tonumber(idle) then idle = ARGV[4] end
local rest_of_life = string.format('%.0f', math.ceil(tonumber(idle) - tonumber(ARGV[1])))
redis.call('SET', KEYS[1], version .. ' ' .. seen .. ' ' .. idle .. ' ' .. write .. rest, 'PX', rest_of_life)
return 1`),

  /** ARGV: now, expected version or nothing, name. Without an expected version a damaged record is removed too. */
  delete: script(`${HEAD}
if not value or (ARGV[2] ~= '' and version ~= ARGV[2]) then return 0 end
redis.call('DEL', KEYS[1])${announce('ARGV[3]')}
return (live or not rest) and 1 or 0`),

  /** ARGV: now, handle, expiresAt, milliseconds until then, limit or nothing. */
  add: script(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', tonumber(ARGV[1]) - ${KEPT})
if ARGV[5] ~= '' then
  local others = redis.call('ZCOUNT', KEYS[1], '(' .. ARGV[1], '+inf')
  local own = redis.call('ZSCORE', KEYS[1], ARGV[2])
  if own and tonumber(own) > tonumber(ARGV[1]) then others = others - 1 end
  if others >= tonumber(ARGV[5]) then return 0 end
end
redis.call('ZADD', KEYS[1], 'GT', ARGV[3], ARGV[2])${OUTLIVE}`),

  /** ARGV: now, handle, expiresAt, milliseconds until then. */
  keep: script(`
local expires = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not expires or tonumber(expires) <= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])${OUTLIVE}`),

  /** ARGV: now, handle. */
  remove: script(`return redis.call('ZREM', KEYS[1], ARGV[2])`),

  /**
   * ARGV: the most entries that are listed at once. Answers with their number, then handle and instant in turn. The
   * answer is one text, because a driver parses thousands of replies far more slowly. If there are too many entries,
   * the answer is only their number.
   */
  list: script(`
local size = redis.call('ZCARD', KEYS[1])
if size == 0 or size > tonumber(ARGV[1]) then return tostring(size) end
return size .. ' ' .. table.concat(redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), ' ')`),

  /** ARGV: cursor, entries to look at. Answers with the next cursor, then handle and instant in turn. */
  scan: script(`
local step = redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
if #step[2] == 0 then return step[1] end
return step[1] .. ' ' .. table.concat(step[2], ' ')`),

  /** ARGV: instant, length of the key's last part. Answers with the cutoff in force. */
  raise: script(`
local held = redis.call('GET', KEYS[1])
if held and (tonumber(held) or 0) >= tonumber(ARGV[1]) then return held end
redis.call('SET', KEYS[1], ARGV[1])
redis.pcall('PUBLISH', string.sub(KEYS[1], 1, -ARGV[2] - 1) .. '${CHANNEL}', '${RAISED}' .. ARGV[1])
return ARGV[1]`),

  /** Answers with the milliseconds since 1970, by the clock of the server that has the key. No ARGV. */
  time: script(`
local time = redis.call('TIME')
return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)`),
}

type RecordScript = 'create' | 'update' | 'touch' | 'delete'
type IndexScript = 'add' | 'keep' | 'remove' | 'list' | 'scan'
type StoreScript = 'raise' | 'time' | 'eviction'

function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}
