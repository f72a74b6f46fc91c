import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { deviceOf, familyOf } from '../../lib/session/device.ts'
import { hashOf } from '../../lib/session/id.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Returns the User-Agent of a client that this process has not met. Clients that it has met are remembered. */
function freshClient(): string {
  return `App-${randomUUID()}/`
}

function heapUsed(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

t.test('a device is the user agent and the address, as they were', async (t) => {
  const userAgent = freshClient()
  for (const facts of [
    { userAgent, ip: '2001:db8::1' },
    { userAgent, ip: '192.0.2.1' },
    { userAgent: 'Zoë “Z” 🍪', ip: '' },
    { userAgent: '', ip: '192.0.2.1' },
  ]) {
    t.strictSame(deviceOf(facts), facts)
    t.strictSame(deviceOf(facts), facts, 'once more')
  }
})

t.test('sessions of one user agent share its text', async (t) => {
  const count = 10_000
  const text = Buffer.from(freshClient().padEnd(256, '.'))
  const before = heapUsed()
  const devices = Array.from({ length: count }, () => deviceOf({ userAgent: text.toString(), ip: '192.0.2.1' }))
  const each = (heapUsed() - before) / count
  t.comment(`${each} bytes each`)
  t.ok(each < 200)
  t.equal(devices.length, count)
})

t.test('a text cut from a long header keeps no memory of the rest', async (t) => {
  const count = 2000
  const header = Buffer.alloc(15_000, 'x')
  const before = heapUsed()
  const devices = Array.from({ length: count }, (_, number) => {
    header.write(String(number).padStart(8))
    const long = header.toString('latin1')
    return deviceOf({ userAgent: long.slice(0, 256), ip: long.slice(0, 64) })
  })
  const each = (heapUsed() - before) / count
  t.comment(`${each} bytes each`)
  t.ok(each < 2000)
  t.equal(devices.length, count)
})

t.test('a family is the same for all versions of a client, and another one for another client', async (t) => {
  const client = freshClient()
  const family = familyOf(`${client}149.0`)
  t.equal(familyOf(`${client}150.0.1`), family)
  t.equal(familyOf(`${client}149_2`), family)
  t.equal(familyOf(`${client}149.0`), family, 'once more')
  t.not(familyOf(`${client}149.0 mobile`), family)
  t.equal(family, hashOf(client.replaceAll(/\d/g, '')).slice(0, 8), 'each process computes the same')
  t.equal(familyOf(''), '', 'a client that names no user agent has no family')
})
