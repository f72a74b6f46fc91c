import type { Attack } from './attack.ts'
import { showsAccount } from './attack.ts'

export const afterLogout: Attack = {
  name: 'cookie-after-logout',
  title: 'Use the cookie after logout',
  aim: 'The attacker has a copy of the cookie of Alice. Alice logs out. The attacker hopes that the logout only removed the cookie from her browser, and that the copy still works.',
  defence:
    'The logout deletes the record on the server before the answer is sent. The copy names a record that does not exist. A signed token that holds its own data could not be ended like this.',
  passages: [
    { room: 'session', name: '#end', stop: 'endOwn' },
    { room: 'session', name: 'follow', stop: 'record === undefined' },
  ],
  async run(scene) {
    const { alice, attacker } = scene
    await alice.logIn('Alice logs in.')
    attacker.cookie = alice.cookie
    scene.note('The attacker copies her cookie.')
    const before = await attacker.get('/account', 'The attacker tries the copy. While Alice is logged in, it works.')
    await alice.post('/logout', {}, 'Alice logs out. The answer removes the cookie from her browser.')
    const replay = await attacker.get('/account', 'The attacker shows the copy again.')
    return {
      isStopped: showsAccount(before) && !showsAccount(replay),
      decisive: [replay],
      words: 'The same cookie opened the account before the logout. After the logout it leads to the login page.',
    }
  },
}
