import t from 'tap'
import type { Test } from 'tap'
import type { SessionData } from '../../lib/session/json-data.ts'
import type { LiveSession } from '../../lib/session/load-session.ts'
import { RequestData } from '../../lib/session/request-data.ts'
import type { UpdatedSession } from '../../lib/session/update-data.ts'
import { changeOfKey, updateData } from '../../lib/session/update-data.ts'
import { SERVE } from '../../lib/session/verdict.ts'
import { WorkQueue } from '../../lib/session/work-queue.ts'
import type { SessionRecord } from '../../types/index.ts'
import type { EngineWorld } from './engine-world.ts'
import { engineWorld } from './engine-world.ts'

/** The session of a request whose app holds the data, as an update sees it. */
interface Request {
  readonly session: UpdatedSession
  readonly values: SessionData
  readonly queue: WorkQueue
  /** The session that an update may write; the data waits for the response without one. */
  live: LiveSession | undefined
  isCurrent: boolean
  readonly lost: string[]
}

function requestOf({ engine }: EngineWorld, record?: SessionRecord): Request {
  const data = new RequestData(record?.data ?? '{}', (_own, values) => values)
  const queue = new WorkQueue()
  const request: Request = {
    session: {
      engine,
      data,
      isCurrent: () => request.isCurrent,
      live: () => request.live,
      useRecord: (live, newer) => (request.live = { ...live, record: newer }),
      lose: (reason) => void request.lost.push(reason),
      run: (work) => queue.run(work),
    },
    values: data.object as unknown as SessionData,
    queue,
    live: record && { state: 'live', record, presented: undefined, verdict: SERVE, checked: undefined },
    isCurrent: true,
    lost: [],
  }
  return request
}

/** Returns an app with a stored session of this data, and a request that has loaded the session. */
async function stored(
  t: Test,
  data: object,
  maxRecordSize?: number,
): Promise<EngineWorld & Request & { first: SessionRecord; dataNow: () => Promise<unknown> }> {
  const it = await engineWorld(t, maxRecordSize === undefined ? {} : { session: { maxRecordSize } })
  const first = await it.put({ data: JSON.stringify(data) })
  it.asked()
  const dataNow = async (): Promise<unknown> => JSON.parse((await it.store.get(first.handle))?.data ?? 'null')
  return Object.assign(requestOf(it, first), { ...it, first, dataNow })
}

/** Another request writes this data. */
async function overwrite({ store }: EngineWorld, handle: string, changes: Partial<SessionRecord>): Promise<void> {
  const latest = await store.get(handle)
  if (latest === undefined) throw new Error('no record')
  await store.update({ ...latest, ...changes, version: latest.version + 1 }, latest.version)
}

t.test('an update reads the record, writes only its data, and leaves the request with what it wrote', async (t) => {
  const it = await stored(t, { a: 1 })
  const result = await it.inTurn(() =>
    updateData(it.session, async (draft) => {
      draft['a'] = 2
      draft['b'] = { deep: [1] }
      return 'the result'
    }),
  )
  t.equal(result, 'the result')
  t.strictSame(it.asked(), ['get', 'update'])
  const { data, version } = it.first
  const written = { ...it.first, data: '{"a":2,"b":{"deep":[1]}}', version: version + 1 }
  t.not(written.data, data)
  t.strictSame(await it.store.get(it.first.handle), written)
  t.strictSame(it.live?.record, written)
  t.strictSame(it.values, { a: 2, b: { deep: [1] } })
  t.equal(it.session.data.isModified(), false, 'nothing is left for the response')
})

t.test('an update starts from the stored data with the changes of its request, and keeps all others', async (t) => {
  const it = await stored(t, { a: 1, b: 1, c: 1 })
  it.values['a'] = 'mine'
  delete it.values['b']
  await overwrite(it, it.first.handle, { data: '{"a":1,"b":1,"c":"theirs","d":"theirs"}' })
  const seen = await updateData(it.session, (draft) => {
    const before = { ...draft }
    draft['e'] = 'new'
    return before
  })
  t.strictSame(seen, { a: 'mine', c: 'theirs', d: 'theirs' })
  t.strictSame(await it.dataNow(), { a: 'mine', c: 'theirs', d: 'theirs', e: 'new' })
  t.strictSame({ ...it.values }, { a: 'mine', c: 'theirs', d: 'theirs', e: 'new' })
})

t.test('a change is made again on newer data as long as other writes come between, and once more only', async (t) => {
  const it = await stored(t, { count: 0 })
  const seen: unknown[] = []
  const result = await updateData(it.session, async (draft) => {
    seen.push({ ...draft })
    if (seen.length < 3) await overwrite(it, it.first.handle, { data: `{"count":${seen.length * 10}}` })
    draft['count'] = Number(draft['count']) + 1
    draft[`draft${seen.length}`] = true
    return seen.length
  })
  t.equal(result, 3)
  t.strictSame(seen, [{ count: 0 }, { count: 10 }, { count: 20 }])
  t.strictSame(await it.dataNow(), { count: 21, draft3: true }, 'drafts of earlier attempts are forgotten')
})

t.test('an update that other writes never let pass ends, and the request still has its data', async (t) => {
  const it = await stored(t, { count: 0 })
  let calls = 0
  const updated = updateData(it.session, async (draft) => {
    calls += 1
    await overwrite(it, it.first.handle, { data: `{"count":${-calls}}` })
    draft['count'] = 'mine'
  })
  await t.rejects(updated, { code: 'SESSION_SUPERSEDED', statusCode: 503 })
  t.ok(calls > 1)
  t.strictSame(await it.dataNow(), { count: -calls })
  t.strictSame({ ...it.values }, { count: 0 })
  t.strictSame(it.lost, [])
})

t.test('a change that the request makes meanwhile stays for the response', async (t) => {
  const it = await stored(t, { a: 1, b: 1 })
  const write = it.gate.hold('update')
  const updated = updateData(it.session, (draft) => {
    draft['a'] = 2
    it.values['during'] = 'the change'
  })
  await write.arrived
  it.values['b'] = 'during the write'
  write.release()
  await updated
  t.strictSame(await it.dataNow(), { a: 2, b: 1 })
  t.strictSame({ ...it.values }, { a: 2, b: 'during the write', during: 'the change' })
  const { from, to } = it.session.data.edit(1_000)
  t.strictSame(JSON.parse(from), { a: 2, b: 1 })
  t.strictSame(JSON.parse(to), { a: 2, b: 'during the write', during: 'the change' })
})

t.test('without a record an update changes the data of the request, and asks the store for nothing', async (t) => {
  const it = await engineWorld(t)
  const request = requestOf(it)
  request.values['a'] = 1
  const seen: unknown[] = []
  await updateData(request.session, (draft) => {
    seen.push({ ...draft })
    if (seen.length === 1) request.values['b'] = 'meanwhile'
    draft['c'] = seen.length
  })
  t.strictSame(seen, [{ a: 1 }, { a: 1, b: 'meanwhile' }], 'the change is made on what the request has by then')
  t.strictSame({ ...request.values }, { a: 1, b: 'meanwhile', c: 2 })
  t.equal(request.session.data.edit(1_000).from, '{}', 'the data waits for the response')
  t.strictSame(it.asked(), [])
})

t.test('a change is made again on the record if the request stores its session meanwhile', async (t) => {
  const it = await stored(t, { stored: true })
  const { live } = it
  it.live = undefined
  const seen: unknown[] = []
  await updateData(it.session, (draft) => {
    seen.push({ ...draft })
    it.live = live
    draft['count'] = seen.length
  })
  t.strictSame(seen, [{ stored: true }, { stored: true }])
  t.strictSame(await it.dataNow(), { stored: true, count: 2 })
})

t.test('data that a logout replaced is neither read nor written', async (t) => {
  const it = await stored(t, { a: 1 })
  const ended = { code: 'SESSION_ENDED' }
  let calls = 0
  const change = (draft: SessionData): void => {
    calls += 1
    draft['a'] = 2
    it.isCurrent = false
  }
  await t.rejects(updateData(it.session, change), ended)
  t.equal(calls, 1)
  t.strictSame(it.asked(), ['get'])
  await t.rejects(updateData(it.session, change), ended)
  t.equal(calls, 1, 'the change is not made')
  t.strictSame(it.asked(), [])
  it.isCurrent = true
  it.live = undefined
  await t.rejects(updateData(it.session, change), ended, 'also while the data waits for the response')
  t.strictSame({ ...it.values }, { a: 1 })
  t.strictSame(await it.dataNow(), { a: 1 })
  t.strictSame(it.lost, [])
})

for (const [reason, what] of [
  ['gone', 'has ended'],
  ['epoch', 'got a new id of a parallel request'],
] as const) {
  t.test(`an update of a session that ${what} is refused, and the request learns of it`, async (t) => {
    const it = await stored(t, { a: 1 })
    if (reason === 'gone') await it.store.delete(it.first.handle)
    else await overwrite(it, it.first.handle, { epoch: it.first.epoch + 1 })
    let calls = 0
    const updated = updateData(it.session, () => void (calls += 1))
    await t.rejects(updated, { code: 'SESSION_SUPERSEDED' })
    t.equal(calls, 0)
    t.strictSame(it.lost, [reason])
    t.strictSame(it.asked(), ['get'])
  })
}

t.test('a session that got a new id while the change was made is not written', async (t) => {
  const it = await stored(t, { a: 1 })
  const updated = updateData(it.session, async (draft) => {
    draft['a'] = 'stale'
    await overwrite(it, it.first.handle, { epoch: it.first.epoch + 1, data: '{"a":"theirs"}' })
  })
  await t.rejects(updated, { code: 'SESSION_SUPERSEDED' })
  t.strictSame(await it.dataNow(), { a: 'theirs' })
  t.strictSame(it.lost, ['epoch'])
})

t.test('reads and writes wait for their turn, and the change itself holds up nobody', async (t) => {
  const it = await stored(t, { a: 1 })
  const order: string[] = []
  const work = (name: string) => async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve))
    order.push(name, ...it.asked())
  }
  void it.queue.run(work('before the read'))
  await updateData(it.session, async (draft) => {
    await it.queue.run(work('within the change'))
    void it.queue.run(work('before the write'))
    draft['a'] = 2
  })
  t.strictSame(order, ['before the read', 'within the change', 'get', 'before the write'])
  t.strictSame(it.asked(), ['update'])
})

t.test('a change that fails, or leaves data that cannot be stored, writes nothing', async (t) => {
  const it = await stored(t, { a: 1 }, 1_024)
  const lost = new Error('the change failed')
  const cases: [change: (draft: SessionData) => unknown, refusal: Error | { code: string; detail: string }][] = [
    [() => Promise.reject(lost), lost],
    [(draft) => (draft['save'] = 1), { code: 'SESSION_KEY_RESERVED', detail: '"save"' }],
    [(draft) => (draft['f'] = () => 1), { code: 'SESSION_VALUE_UNSERIALIZABLE', detail: '"f" is a function' }],
    [
      (draft) => (draft['b'] = 'x'.repeat(1_025)),
      { code: 'SESSION_RECORD_TOO_LARGE', detail: 'over 1024 bytes, 1024 allowed' },
    ],
    [
      (draft) => (draft['b'] = 'ü'.repeat(600)),
      { code: 'SESSION_RECORD_TOO_LARGE', detail: `${1_200 + '{"a":1,"b":""}'.length} bytes, 1024 allowed` },
    ],
  ]
  for (const [change, refusal] of cases) {
    await t.rejects(updateData(it.session, change), refusal)
    t.strictSame(it.asked(), ['get'])
  }
  t.strictSame(await it.dataNow(), { a: 1 })
  t.strictSame({ ...it.values }, { a: 1 })
  const longest = 'x'.repeat(1_024 - '{"a":1,"b":""}'.length)
  await updateData(it.session, (draft) => (draft['b'] = longest))
  t.strictSame(await it.dataNow(), { a: 1, b: longest }, 'the limit itself is allowed')
})

t.test('data of the request that cannot be stored is refused before the change is made', async (t) => {
  const it = await stored(t, { a: 1 }, 1_024)
  let calls = 0
  const change = (): void => void (calls += 1)
  it.values['large'] = 'x'.repeat(2_000)
  await t.rejects(updateData(it.session, change), { code: 'SESSION_RECORD_TOO_LARGE' })
  it.values['large'] = Number.NaN
  await t.rejects(updateData(it.session, change), { code: 'SESSION_VALUE_UNSERIALIZABLE' })
  t.equal(calls, 0)
})

t.test('a change of one key gets the value and returns the new one; undefined removes the key', async (t) => {
  const it = await stored(t, { a: 1, b: 2 })
  t.equal(
    await updateData(
      it.session,
      changeOfKey('a', (value) => Number(value) + 1),
    ),
    2,
  )
  t.equal(
    await updateData(
      it.session,
      changeOfKey('c', async (value) => [value ?? 'none']),
    ).then(String),
    'none',
  )
  t.strictSame(await it.dataNow(), { a: 2, b: 2, c: ['none'] })
  t.equal(
    await updateData(
      it.session,
      changeOfKey('b', () => undefined),
    ),
    undefined,
  )
  t.strictSame(await it.dataNow(), { a: 2, c: ['none'] })
  t.strictSame(Object.keys(it.values), ['a', 'c'])
})

t.test('a name of the session object is no key to change, and the change is not made', async (t) => {
  const it = await stored(t, { a: 1 })
  let calls = 0
  for (const key of ['save', '__proto__', 'toString']) {
    const updated = updateData(
      it.session,
      changeOfKey(key, () => (calls += 1)),
    )
    await t.rejects(updated, { code: 'SESSION_KEY_RESERVED', detail: `"${key}"` })
  }
  t.equal(calls, 0)
})
