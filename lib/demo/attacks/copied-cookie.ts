import { RENEWAL_MINUTES } from '../timeouts.ts'
import type { Attack } from './attack.ts'
import { showsAccount } from './attack.ts'
import type { Party } from './party.ts'
import type { Scene } from './scene.ts'
import type { Exchange } from './step.ts'

/** A renewed secret counts once its browser has shown it again, a minute after its issue. */
const PROOF_MINUTES = 2

/** Both holders of the cookie go on through this many renewals at most. */
const MAX_ROUNDS = 6

export const copiedCookie: Attack = {
  name: 'copied-cookie',
  title: 'Copy the cookie to a second browser and wait for a renewal',
  aim: 'The attacker copies the cookie of Alice while she is logged in, and uses it quietly beside her. The attacker hopes that nobody notices for as long as the session lives.',
  defence:
    'The secret is renewed while the session is used, and only one browser receives the new one. When two holders go on with different secrets, the cookie was copied. The server cannot tell who is Alice, so it ends the session for both.',
  passages: [
    { room: 'session', name: 'judgeRival', stop: 'second-holder' },
    { room: 'session', name: 'endCopied', stop: 'users.places.end(' },
  ],
  async run(scene) {
    const { alice, attacker } = scene
    await alice.logIn('Alice logs in.')
    const copy = alice.cookie
    attacker.cookie = copy
    scene.note('The attacker copies her cookie to a second browser.')
    const first = await attacker.get(
      '/account',
      'The attacker tries the copy. It works: until a renewal, both browsers show the same secret.',
    )
    const refused = await goOn(scene)
    const { minutes } = scene
    // An answer that clears the cookie does not clear the attacker's copy.
    if (attacker.cookie === '') attacker.cookie = copy
    const last = [
      await attacker.get('/account', 'The attacker tries once more.'),
      await alice.get(
        '/account',
        'Alice opens her account. She has to log in again, and knows that something happened.',
      ),
    ]
    const isOver = !last.some(showsAccount)
    return {
      isStopped: showsAccount(first) && refused !== undefined && isOver && scene.isReported('replay'),
      decisive: refused === undefined ? last : [refused],
      words: `${minutes} minutes after it was made, the copy was found out. The session layer reported a copied cookie, and the session ended for both browsers.`,
    }
  },
}

/**
 * Lets both browsers go on until one of them is refused. Returns that exchange, or `undefined` when none was refused.
 */
async function goOn(scene: Scene): Promise<Exchange | undefined> {
  const { alice, attacker } = scene
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    for (const minutes of [RENEWAL_MINUTES, PROOF_MINUTES]) {
      scene.wait(minutes)
      const refused = (await click(alice, 'Alice clicks.')) ?? (await click(attacker, 'The attacker clicks.'))
      if (refused !== undefined) return refused
    }
  }
  return undefined
}

async function click(party: Party, words: string): Promise<Exchange | undefined> {
  const exchange = await party.get('/account', words)
  return showsAccount(exchange) ? undefined : exchange
}
