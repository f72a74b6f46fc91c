import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import tls from 'node:tls'

/**
 * Leads every connection of this process to a server in the process itself, which answers like an empty Redis or
 * PostgreSQL. So an app boots where its store cannot be reached; what the store would have answered is not known.
 */
export async function redirectConnections(): Promise<void> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined).unref()
    socket.once('data', (first) => talk(socket, first))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  server.unref()
  const { port } = server.address() as AddressInfo

  redirectSockets(port)
  redirectNames()
  syncBuiltinESMExports()
}

function redirectSockets(port: number): void {
  const connect = Reflect.get(net.Socket.prototype, 'connect') as (...parameters: unknown[]) => Socket
  net.Socket.prototype.connect = function redirected(this: Socket, ...parameters: unknown[]) {
    const callback = parameters.flat().findLast((parameter) => typeof parameter === 'function')
    return connect.call(this, port, '127.0.0.1', ...(callback === undefined ? [] : [callback]))
  }

  // Encryption is left out: the other end is this process.
  tls.connect = ((...parameters: unknown[]) => {
    const given = parameters.find((parameter): parameter is { socket?: Socket } => typeof parameter === 'object')
    const callback = parameters.findLast((parameter) => typeof parameter === 'function') as (() => void) | undefined
    const socket = given?.socket ?? net.connect(port, '127.0.0.1')
    if (callback !== undefined) socket.once('secureConnect', callback)
    socket.once('connect', () => socket.emit('secureConnect'))
    return Object.assign(socket, { authorized: true })
  }) as typeof tls.connect
}

const LOOPBACK = { address: '127.0.0.1', family: 4 }

/** Some drivers look up the name of their server before they connect, or besides. */
function redirectNames(): void {
  dns.lookup = ((_name: string, ...parameters: unknown[]) => {
    const answer = parameters.some(isAll) ? [[LOOPBACK]] : [LOOPBACK.address, LOOPBACK.family]
    process.nextTick(parameters.at(-1) as () => void, null, ...answer)
  }) as typeof dns.lookup
  dns.promises.lookup = (async (_name: string, options?: unknown) => {
    return isAll(options) ? [LOOPBACK] : LOOPBACK
  }) as typeof dns.promises.lookup
}

function isAll(options: unknown): boolean {
  return (options as { all?: boolean } | undefined)?.all === true
}

function talk(socket: Socket, first: Buffer): void {
  const answer = first[0] === 0x2a ? redis() : first[0] === 0 ? postgres() : undefined
  if (answer === undefined) {
    socket.destroy()
    return
  }
  let rest = Buffer.alloc(0)
  const take = (chunk: Buffer): void => {
    const { reply, left } = answer(Buffer.concat([rest, chunk]))
    rest = left
    if (reply.length > 0) socket.write(reply)
  }
  socket.on('data', take)
  take(first)
}

/** Answers the whole messages of a buffer; what is left is the beginning of the next one. */
type Answerer = (received: Buffer) => { reply: Buffer; left: Buffer<ArrayBuffer> }

const REDIS_ANSWERS: Readonly<Record<string, string>> = {
  PING: '+PONG\r\n',
  INFO: '$21\r\nredis_version:7.4.0\r\n\r\n',
  CONFIG: '*0\r\n',
  HELLO: '*2\r\n$6\r\nserver\r\n$5\r\nredis\r\n',
  CLUSTER: '-ERR This instance has cluster support disabled\r\n',
  SENTINEL: '*0\r\n',
  TIME: '*2\r\n$1\r\n0\r\n$1\r\n0\r\n',
}

/** Commands with the answer that all connection commands have. */
const REDIS_OK = ['AUTH', 'CLIENT', 'SELECT', 'READONLY', 'SET', 'QUIT', 'RESET']

function redis(): Answerer {
  return (received) => {
    let text = received.toString('latin1')
    let reply = ''
    for (let command = firstCommand(text); command !== undefined; command = firstCommand(text)) {
      text = text.slice(command.length)
      const answer = REDIS_OK.includes(command.name) ? '+OK\r\n' : (REDIS_ANSWERS[command.name] ?? '$-1\r\n')
      // A map is the answer of the third version of the protocol.
      reply += command.name === 'HELLO' && command.argument === '3' ? answer.replace('*2', '%1') : answer
    }
    return { reply: Buffer.from(reply, 'latin1'), left: Buffer.from(text, 'latin1') }
  }
}

/** `*2\r\n$4\r\nINFO\r\n$3\r\nall\r\n`: an array of strings with their lengths. */
function firstCommand(text: string): { name: string; argument: string; length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text)
  if (head === null) return undefined
  const words: string[] = []
  let at = head[0].length
  for (let count = Number(head[1]); count > 0; count -= 1) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 24))
    if (size === null) return undefined
    const begin = at + size[0].length
    at = begin + Number(size[1]) + 2
    if (at > text.length) return undefined
    words.push(text.slice(begin, at - 2))
  }
  return { name: (words[0] ?? '').toUpperCase(), argument: words[1] ?? '', length: at }
}

const AUTHENTICATED = [message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))]
const POSTGRES_ANSWERS: Readonly<Record<string, Buffer[]>> = {
  Q: [message('C', Buffer.from('SELECT 0\0')), message('Z', Buffer.from('I'))],
  P: [message('1')],
  B: [message('2')],
  D: [message('n')],
  E: [message('C', Buffer.from('SELECT 0\0'))],
  S: [message('Z', Buffer.from('I'))],
}

function postgres(): Answerer {
  let isStarted = false
  return (received) => {
    const replies: Buffer[] = []
    let left = Buffer.from(received)
    for (let size = sizeOf(left, isStarted); size !== undefined; size = sizeOf(left, isStarted)) {
      const isStart = !isStarted && left.readInt32BE(4) !== SSL_REQUEST
      if (isStarted) replies.push(...(POSTGRES_ANSWERS[String.fromCharCode(left[0] as number)] ?? []))
      else replies.push(...(isStart ? AUTHENTICATED : [Buffer.from('S')]))
      isStarted ||= isStart
      left = left.subarray(size)
    }
    return { reply: Buffer.concat(replies), left }
  }
}

const SSL_REQUEST = 80_877_103

/** The first message has no letter before its length. */
function sizeOf(buffer: Buffer, isStarted: boolean): number | undefined {
  const before = isStarted ? 1 : 0
  if (buffer.length < before + 8 - before * 4) return undefined
  const size = before + buffer.readInt32BE(before)
  return buffer.length < size ? undefined : size
}

function message(letter: string, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.from(`${letter}\0\0\0\0`)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
