import type { Attack } from './attack.ts'
import { showsAccount } from './attack.ts'
import { otherLetter } from './letters.ts'

export const plantedId: Attack = {
  name: 'planted-id',
  title: 'Plant an id',
  aim: 'The attacker puts a cookie into the browser of Alice: first an id that the attacker made up, then a real one of the bank. If Alice logs in with that cookie, both share her session.',
  defence:
    'The bank never adopts an id that it did not sign. An id that it signed for somebody else gets a new secret at the login, which only the browser of Alice receives.',
  passages: [
    { room: 'session', name: '#isSigned', stop: 'unsign' },
    { room: 'session', name: 'rotated', stop: 'secretHash' },
  ],
  async run(scene) {
    const { alice, attacker } = scene
    await attacker.get('/', 'The attacker opens the login page and gets a cookie.')
    const real = attacker.cookie
    const invented = inventedLike(real)
    alice.cookie = invented
    scene.note('The attacker makes up an id of the same shape and plants it in the browser of Alice.')
    const first = await alice.get(
      '/',
      'Alice opens the login page with the planted id. The bank gives her an id of its own.',
    )
    const isAdopted = alice.cookie === invented
    alice.cookie = real
    scene.note("The attacker plants the attacker's own cookie instead, which the bank did sign.")
    await alice.logIn('Alice logs in with the planted cookie. The answer replaces its secret.')
    const shared = await attacker.get('/account', 'The attacker shows the planted cookie.')
    const own = await alice.get('/account', 'Alice shows her new cookie.')
    return {
      isStopped: !isAdopted && !showsAccount(shared) && showsAccount(own),
      decisive: [first, shared],
      words:
        'The bank did not adopt the id that the attacker made up. The real id that the attacker planted opens nothing after the login.',
    }
  },
}

/** A cookie of the same shape with other letters. The name and the dots stay. */
function inventedLike(cookie: string): string {
  const value = cookie.indexOf('=') + 1
  return cookie.slice(0, value) + cookie.slice(value).replace(/[\w-]/g, otherLetter)
}
