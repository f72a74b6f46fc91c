import type { Attack } from './attack.ts'
import { showsAccount } from './attack.ts'

export const beforeLogin: Attack = {
  name: 'cookie-from-before-login',
  title: 'Replay the cookie from before login',
  aim: 'Alice opens the login page on a shared computer. The attacker copies her cookie before she logs in, and hopes that the same cookie opens her account afterwards. This is session fixation.',
  defence:
    'The login replaces the secret inside the record, in one write. The handle stays, so Alice loses nothing. The old secret matches nothing any more.',
  passages: [
    { room: 'session', name: 'rotated', stop: 'secretHash' },
    { room: 'session', name: 'judgeClosely', stop: 'id.epoch' },
  ],
  async run(scene) {
    const { alice, attacker } = scene
    await alice.get('/', 'Alice opens the login page. The bank gives her browser a cookie.')
    attacker.cookie = alice.cookie
    scene.note('The attacker copies this cookie.')
    await alice.logIn('Alice logs in. The answer replaces the secret in her cookie.')
    const replay = await attacker.get('/account', 'The attacker shows the copied cookie.')
    const own = await alice.get('/account', 'Alice shows her new cookie.')
    return {
      isStopped: !showsAccount(replay) && showsAccount(own),
      decisive: [replay],
      words: 'The old cookie leads to the login page. The cookie of Alice opens her account.',
    }
  },
}
