import dns from 'node:dns'
import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { createClient } from 'redis'
import t from 'tap'
import { redirectConnections } from '../../lib/cli/offline.ts'

// All of this process is led astray, so that these tests have a process of their own.
await redirectConnections()

t.test('node-redis connects to a server that is nowhere, in both versions of the protocol', async (t) => {
  for (const RESP of [2, 3] as const) {
    const client = createClient({ url: 'redis://ann:secret@redis.invalid:1', RESP })
    await client.connect()
    t.equal(await client.get('x'), null)
    t.equal(await client.set('x', 'y'), 'OK')
    client.destroy()
  }
})

t.test('ioredis does, over TLS too', async (t) => {
  for (const url of ['redis://redis.invalid:1', 'rediss://redis.invalid:1']) {
    const client = new Redis(url)
    t.equal(await client.ping(), 'PONG')
    t.equal(await client.get('x'.repeat(70_000)), null, 'a command in several pieces')
    client.disconnect()
  }
})

t.test('pg does, over TLS too', async (t) => {
  for (const ssl of [false, true]) {
    const client = new Client({ connectionString: 'postgres://u:p@pg.invalid:1/db', ssl })
    await client.connect()
    t.strictSame((await client.query('SELECT 1')).rows, [])
    t.strictSame((await client.query('SELECT $1::text', ['x'])).rows, [])
    await client.end()
  }
})

t.test('names are found without a name server', async (t) => {
  t.strictSame(await dns.promises.lookup('redis.invalid'), { address: '127.0.0.1', family: 4 })
  t.strictSame(await dns.promises.lookup('redis.invalid', { all: true }), [{ address: '127.0.0.1', family: 4 }])
  t.equal(
    await new Promise((resolve) => dns.lookup('redis.invalid', (_error, address) => resolve(address))),
    '127.0.0.1',
  )
  t.strictSame(
    await new Promise((resolve) =>
      dns.lookup('redis.invalid', { all: true }, (_error, addresses) => resolve(addresses)),
    ),
    [{ address: '127.0.0.1', family: 4 }],
  )
})

t.test('whoever speaks another protocol is turned away', async (t) => {
  const socket = net.connect({ host: 'mail.invalid', port: 25 }, () => socket.write('HELO x\r\n'))
  await once(socket, 'close')
  t.ok(socket.destroyed)
})

t.test('a command that comes in pieces is answered once it is whole', async (t) => {
  const socket = tls.connect(6379, 'redis.invalid')
  await once(socket, 'secureConnect')
  for (const piece of ['*1\r', '\n$4', '\r\nPI', 'NG\r\n*1\r\n$4\r\nNONE\r\n*0\r\n']) {
    socket.write(piece)
    await new Promise((resolve) => setImmediate(resolve))
  }
  let answer = ''
  while (answer.length < '+PONG\r\n$-1\r\n$-1\r\n'.length) answer += String((await once(socket, 'data'))[0])
  t.equal(answer, '+PONG\r\n$-1\r\n$-1\r\n')
  socket.destroy()
})

t.test('a message of PostgreSQL that comes in pieces is answered once it is whole', async (t) => {
  const start = Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0])
  const socket = await new Promise<net.Socket>((resolve) => {
    const connecting = tls.connect(5432, 'pg.invalid', undefined, () => resolve(connecting))
  })
  for (const [from, to] of [
    [0, 5],
    [5, 8],
    [8, 9],
  ]) {
    socket.write(start.subarray(from, to))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const [answer] = (await once(socket, 'data')) as [Buffer]
  t.equal(answer.toString('latin1'), 'R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I')
  socket.destroy()
})
