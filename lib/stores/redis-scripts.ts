import { createHash } from 'node:crypto'

/** A script as the server knows it. */
export interface Script {
  readonly lua: string
  readonly sha: string
}

/**
 * A record's value is one line that scripts can read, `<version> <lastSeenAt> <idleDeadline> <write>`, and its JSON on the next.
 * `live` gives these four, and the rest with its line break, of a record whose deadline is after ARGV[1]; versions are compared
 * as the text they are. `write` names the write itself: a driver that lost the connection before the answer sends it again, and
 * must not lose against itself.
 */
const HEAD = `
local value = redis.call('GET', KEYS[1])
local version, seen, idle, write, rest
if value then version, seen, idle, write, rest = string.match(value, '^(%S+) (%S+) (%S+) (%S+)(\\n.*)$') end
local live = rest and (tonumber(idle) or 0) > tonumber(ARGV[1])
`

/** The set outlives its last entry, not by much, and never ends before it. ARGV[3] expires, ARGV[4] milliseconds from now. */
const OUTLIVE = `
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
return 1
`

/** All the store asks of a server but for the plain `GET`. Each on one key, with the time as ARGV[1]. */
export const SCRIPTS: Readonly<Record<'create' | 'update' | 'touch' | 'delete' | 'eviction' | IndexScript, Script>> = {
  /** How the server makes room when its memory is full; nothing when it has no limit. */
  eviction: script(`
local memory = redis.call('INFO', 'memory')
if string.match(memory, '\nmaxmemory:(%d+)') == '0' then return false end
return string.match(memory, '\nmaxmemory_policy:([%w-]+)')`),

  /** ARGV: now, write, value, milliseconds to live. */
  create: script(`${HEAD}
if live then return write == ARGV[2] and 1 or 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 1`),

  /** ARGV: now, write, value, milliseconds to live, expected version. */
  update: script(`${HEAD}
if not live then return 0 end
if version ~= ARGV[5] then return write == ARGV[2] and 1 or 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 1`),

  /** ARGV: now, expected version, lastSeenAt, idleDeadline. */
  touch: script(`${HEAD}
if not live or version ~= ARGV[2] then return 0 end
if tonumber(ARGV[3]) > (tonumber(seen) or 0) then seen = ARGV[3] end
if tonumber(ARGV[4]) > tonumber(idle) then idle = ARGV[4] end
local rest_of_life = string.format('%.0f', math.ceil(tonumber(idle) - tonumber(ARGV[1])))
redis.call('SET', KEYS[1], version .. ' ' .. seen .. ' ' .. idle .. ' ' .. write .. rest, 'PX', rest_of_life)
return 1`),

  /** ARGV: now, expected version or nothing. What is damaged has no version, and goes all the same. */
  delete: script(`${HEAD}
if not value or (ARGV[2] ~= '' and version ~= ARGV[2]) then return 0 end
redis.call('DEL', KEYS[1])
return (live or not rest) and 1 or 0`),

  /** ARGV: now, handle, expiresAt, milliseconds until then, limit or nothing. */
  add: script(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if ARGV[5] ~= '' then
  local others = redis.call('ZCARD', KEYS[1])
  if redis.call('ZSCORE', KEYS[1], ARGV[2]) then others = others - 1 end
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

  /** ARGV: now. Handle and instant in turn. */
  list: script(`return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'WITHSCORES')`),
}

type IndexScript = 'add' | 'keep' | 'remove' | 'list'

function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}
