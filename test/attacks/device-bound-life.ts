import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type { Bench, MakeStore } from '../support/app.ts'
import { handleOf, someone } from '../support/app.ts'
import { challengeOf, cookieIn, Device, identifierOf, offeredBy, refresh, register } from '../support/device.ts'
import { random } from '../support/every-order.ts'
import { bootBound } from './device-bound.ts'

const MINUTE = 60_000

/** The time after which a copy is dead on both servers: the lifetime, and the difference of their clocks. */
const DEAD = 11 * MINUTE

const STEPS = 60

/** The cookies of the owner, and what a thief makes of a copy. */
interface Copy {
  readonly cookie: string
  readonly at: number
}

type Draw = (below: number) => number

/** A browser with a key that has bad luck, on two servers whose clocks are a minute apart. */
class Owner {
  readonly servers: readonly [Bench, Bench]
  readonly draw: Draw
  readonly device = new Device()
  /** Proofs that have reached a server. */
  readonly proofs: string[] = []
  offer = ''
  id = ''
  challenge = ''
  session = ''
  bound = ''
  boundUntil = 0

  constructor(servers: readonly [Bench, Bench], draw: Draw) {
    this.servers = servers
    this.draw = draw
  }

  get now(): number {
    return this.servers[0].clock()
  }

  get server(): Bench {
    return this.servers[this.draw(2)] as Bench
  }

  get isProven(): boolean {
    return this.bound !== '' && this.now < this.boundUntil
  }

  get cookie(): string {
    return `session=${this.session}${this.isProven ? `; session-bound=${this.bound}` : ''}`
  }

  async logIn(userId: string): Promise<void> {
    const login = await this.server.app.inject({ method: 'POST', url: '/login', payload: { id: userId } })
    this.take(login)
    this.offer = offeredBy(login)
    const jws = this.device.registration(this.offer)
    const registered = await register(this.server.app, this.cookie, jws)
    this.proofs.push(jws)
    this.id = identifierOf(registered)
    this.take(registered)
  }

  /** Keeps what a response brings. */
  take(response: LightMyRequestResponse): void {
    this.session = cookieIn(response, 'session') ?? this.session
    const bound = response.cookies.find(({ name }) => name === 'session-bound')
    if (bound !== undefined) {
      this.bound = bound.value
      this.boundUntil = this.now + (bound.maxAge ?? 0) * 1000
    }
    if (challengeOf(response) !== '') this.challenge = challengeOf(response)
  }

  /** Asks for a new bound cookie, and signs again when a challenge is stale. */
  async refresh(server: Bench = this.server): Promise<LightMyRequestResponse> {
    let response = await this.prove(server)
    for (let left = 3; left > 0 && response.statusCode === 403; left -= 1) {
      this.take(response)
      response = await this.prove(server)
    }
    return response
  }

  async prove(server: Bench, isLost = false): Promise<LightMyRequestResponse> {
    const jws = this.device.proof(this.challenge)
    const response = await refresh(server.app, `session=${this.session}`, this.id, jws)
    if (!isLost && response.statusCode === 200) this.proofs.push(jws)
    return response
  }

  /** Refreshes if the bound cookie has ended, as a browser does before any request. */
  async send(method: 'GET' | 'POST', url: string): Promise<LightMyRequestResponse> {
    if (!this.isProven) this.take(await this.refresh())
    const response = await this.server.app.inject({ method, url, headers: { cookie: this.cookie } })
    this.take(response)
    return response
  }
}

/** Bad luck of the owner, and what else they do. */
const ACTS: Readonly<Record<string, (owner: Owner) => Promise<unknown>>> = {
  visit: (owner) => owner.send('GET', '/me'),
  write: (owner) => owner.send('POST', '/write'),
  'a fresh proof of the user': (owner) => owner.send('POST', '/confirm'),
  'a new id': (owner) => owner.send('POST', '/regenerate'),
  'refreshes at once': async (owner) => {
    const all = await Promise.all(Array.from({ length: 2 + owner.draw(19) }, () => owner.refresh()))
    const shuffled = all.map((response) => ({ response, at: owner.draw(1000) })).toSorted((a, b) => a.at - b.at)
    for (const { response } of shuffled) owner.take(response)
  },
  'a lost answer': async (owner) => owner.prove(owner.server),
  'two lost answers': async (owner) => [await owner.prove(owner.server), await owner.prove(owner.server)],
  'an outage': async (owner) => {
    const { server } = owner
    const held = server.gate.hold(owner.draw(2) === 0 ? 'get' : 'update')
    const asked = owner.prove(server, true)
    await held.arrived
    held.fail()
    owner.take(await asked)
  },
  'a write without an answer': async (owner) => {
    const { server } = owner
    const held = server.gate.hold('update')
    const asked = owner.prove(server, true)
    await held.arrived
    held.lose()
    owner.take(await asked)
  },
  'a request without the bound cookie': (owner) =>
    owner.server.app.inject({ url: '/me', headers: { cookie: `session=${owner.session}` } }),
}

/** Tries all that a thief can do with a copy. Returns what went well. */
async function steal(owner: Owner, { cookie, at }: Copy): Promise<string[]> {
  const gained: string[] = []
  const thief = new Device()
  const { app } = owner.server
  const me = await app.inject({ url: '/me', headers: { cookie } })
  if (me.json<{ userId: string | null }>().userId !== null && owner.now >= at + DEAD) gained.push('the session')
  const replayed = owner.proofs.at(-1 - owner.draw(owner.proofs.length)) ?? ''
  const answers = {
    'a visit': me,
    'a request for a challenge': await refresh(app, cookie, owner.id),
    'a key of its own': await refresh(app, cookie, owner.id, thief.proof(owner.challenge)),
    'a key that comes along': await refresh(app, cookie, '', thief.registration(owner.challenge)),
    'an old proof': await refresh(app, cookie, owner.id, replayed),
    'a registration': await register(app, cookie, thief.registration(owner.offer)),
    'an old registration': await register(app, cookie, owner.proofs[0] ?? ''),
  }
  const hasCookie = ({ cookies }: LightMyRequestResponse): boolean => cookies.some(({ value }) => value !== '')
  return [...gained, ...Object.entries(answers).flatMap(([what, answer]) => (hasCookie(answer) ? [what] : []))]
}

/** Lives once. Throws with all that was done so far when something goes wrong. */
async function live(t: Test, makeStore: MakeStore, seed: number): Promise<void> {
  const next = random(seed)
  const draw: Draw = (below) => Math.floor(next() * below)
  const here = await bootBound(t, makeStore)
  const there = await bootBound(t, () => here.gate.store)
  there.clock.set(here.clock() + MINUTE)
  const ann = someone('ann')
  const owner = new Owner([here, there], draw)
  await owner.logIn(ann.id)
  await owner.send('GET', '/me')
  const copies: Copy[] = []
  const names = Object.keys(ACTS)
  const done: string[] = []
  for (let step = 0; step < STEPS; step += 1) {
    const wait = draw(5 * MINUTE)
    for (const { clock } of owner.servers) clock.advance(wait)
    const name = names[draw(names.length)] ?? ''
    done.push(name)
    await ACTS[name]?.(owner)
    if (draw(4) === 0) copies.push({ cookie: owner.cookie, at: owner.now })
    for (const copy of copies.slice(-6)) {
      const gained = await steal(owner, copy)
      if (gained.length > 0) throw new Error(`a thief gained ${gained.join()} (seed ${seed}): ${done.join(', ')}`)
    }
    const { userId } = (await owner.send('GET', '/me')).json<{ userId: string | null }>()
    if (userId !== ann.id) throw new Error(`the owner is out (seed ${seed}): ${done.join(', ')}`)
  }
  t.match(await here.app.sessions.list(ann.id), [{ isDeviceBound: true, handle: handleOf(owner.session) }])
  const bad = [...here.events, ...there.events].filter(({ type }) => type === 'replay' || type === 'revoke')
  t.strictSame(bad, [], `seed ${seed}`)
}

/**
 * Plays a long life of a bound session: outages, lost answers, refreshes at once, clocks apart, and thieves meanwhile.
 */
export function deviceBoundLife(t: Test, makeStore: MakeStore): void {
  t.test(
    'whatever goes wrong, the owner of a bound session stays logged in, and no copy outlives its time',
    async (t) => {
      for (const seed of [1, 2]) await live(t, makeStore, seed)
    },
  )
}
