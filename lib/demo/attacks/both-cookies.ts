import { BOUND_MINUTES } from '../timeouts.ts'
import type { Attack } from './attack.ts'
import { showsAccount } from './attack.ts'
import { Device } from './device.ts'

export const bothCookies: Attack = {
  name: 'both-cookies',
  title: 'Copy both cookies to another browser',
  aim: 'The session of Alice is bound to her device: beside the session cookie there is a bound cookie that lives for ten minutes. The attacker copies both, and hopes to go on with them as Alice does.',
  defence:
    'The browser of Alice holds a private key that never leaves her device. It gets a new bound cookie only for a proof of that key. The attacker has cookies and no key, so ten minutes later the copy opens nothing. Alice notices nothing, and the session layer reports the copy.',
  passages: [
    { room: 'session', name: 'judgeCookie', stop: "return 'expired'" },
    { room: 'session', name: 'judgeByProof', stop: "'unproven'" },
    { room: 'session', name: 'stepOn', stop: "'signature'" },
  ],
  needsBinding: true,
  async run(scene) {
    const { alice, attacker } = scene
    const [own, other] = [new Device(alice), new Device(attacker)]
    const { offer = '' } = await alice.logIn('Alice logs in. The answer offers her browser to bind the session.')
    await own.bind(offer, 'Her browser makes a key, and shows the public half of it. It gets the bound cookie.')
    await alice.get('/account', 'Alice looks at her account. Her browser shows both cookies.')
    attacker.cookie = alice.cookie
    attacker.boundCookie = alice.boundCookie
    scene.note('The attacker copies both cookies.')
    const first = await attacker.get('/account', 'The attacker tries the copy. It works while the bound cookie lives.')
    scene.wait(BOUND_MINUTES)
    const late = await attacker.get('/account', 'The attacker shows both cookies again.')
    await other.refresh('The attacker asks for a new bound cookie. The bank asks for a proof of the key.')
    const forged = await other.refresh('The attacker signs with a key of the attacker.')
    await own.refresh('The browser of Alice asks for a new bound cookie, with a proof of its key.')
    const owner = await alice.get('/account', 'Alice looks at her account.')
    return {
      isStopped: showsAccount(first) && !showsAccount(late) && forged.status === 403 && showsAccount(owner),
      decisive: [late, forged],
      words: `${BOUND_MINUTES} minutes after it was made, the copy of both cookies is nobody. Alice is still logged in.`,
    }
  },
}
