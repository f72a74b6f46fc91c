import type { Attack } from './attack.ts'
import { showsAccount } from './attack.ts'
import { otherLetter } from './letters.ts'

export const changedLetter: Attack = {
  name: 'changed-letter',
  title: 'Change the cookie by one letter',
  aim: 'The attacker knows a cookie, changes one letter of it, and hopes that the result opens a session of somebody else.',
  defence:
    'The id is signed. With one letter changed the signature is wrong, and the bank asks no store about that id. Even without the signature, the attacker would have to guess one of 2¹²⁸ secrets.',
  passages: [
    { room: 'session', name: '#verify', stop: "'signature'" },
    { room: 'session', name: '#isSigned', stop: 'unsign' },
  ],
  async run(scene) {
    const { alice, attacker } = scene
    await alice.logIn('Alice logs in.')
    const own = await alice.get('/account', 'Alice shows her cookie. It opens her account.')
    const { cookie } = alice
    // The first letter of the secret. The last letter of a part may hold bits that decoding drops.
    const place = cookie.indexOf('.') + 1
    const letter = cookie.charAt(place)
    attacker.cookie = cookie.slice(0, place) + otherLetter(letter) + cookie.slice(place + 1)
    scene.note(`The first letter of the secret was ${letter}. The attacker makes it ${otherLetter(letter)}.`)
    const changed = await attacker.get('/account', 'The attacker shows the changed cookie.')
    return {
      isStopped: showsAccount(own) && !showsAccount(changed) && scene.isReported('forged'),
      decisive: [changed],
      words: 'The changed cookie leads to the login page, and the session layer reports a forged id.',
    }
  },
}
