import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import t from 'tap'
import { endPayload } from '../../lib/http/end-payload.ts'

t.test('a stream of Node is destroyed, and its failure afterwards ends no process', async (t) => {
  const stream = new PassThrough()
  endPayload(stream)
  t.ok(stream.destroyed)
  stream.emit('error', new Error('too late'))
  const missing = createReadStream(join(t.testdirName, 'nothing.txt'))
  endPayload(missing)
  await t.rejects(finished(missing))
})

t.test('a web stream and the body of a Response are cancelled, unless somebody reads them', async (t) => {
  for (const wrap of [(stream: ReadableStream) => stream, (stream: ReadableStream) => new Response(stream)]) {
    let reason = 'never'
    const stream = new ReadableStream({ cancel: () => void (reason = 'cancelled') })
    endPayload(wrap(stream))
    t.equal(reason, 'cancelled')
  }
  const failing = new ReadableStream({ cancel: () => Promise.reject(new Error('too late')) })
  endPayload(failing)
  let isCancelled = false
  const read = new ReadableStream({ cancel: () => void (isCancelled = true) })
  read.getReader()
  endPayload(read)
  t.notOk(isCancelled)
})

t.test('a payload that Fastify would close or abort is closed or aborted', async (t) => {
  const done: string[] = []
  endPayload({ close: (callback: () => void) => (done.push('close'), callback()) })
  endPayload({ abort: () => done.push('abort') })
  t.strictSame(done, ['close', 'abort'])
})

t.test('a payload that is no stream is left alone', async (t) => {
  for (const payload of [null, undefined, 'text', Buffer.from('x'), {}, new Response(null), new Response('text')]) {
    t.doesNotThrow(() => endPayload(payload))
  }
  const response = new Response(Readable.toWeb(Readable.from(['x'])) as ReadableStream)
  endPayload(response)
  await t.rejects(response.text(), 'its body is gone')
})
