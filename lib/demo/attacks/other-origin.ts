import type { Attack } from './attack.ts'

const EVIL = 'https://evil.example'
const FORM = { to: 'bob', amount: '100', reference: 'Thank you' }

export const otherOrigin: Attack = {
  name: 'post-from-another-origin',
  title: 'Post from another origin',
  aim: 'Alice is logged in and visits the site of the attacker. A form on that site sends money from her account. Her browser adds her cookie. This is cross-site request forgery.',
  defence:
    'Browsers say where a request comes from, and no page can change what they say. The bank refuses a form of another origin before it looks at the session. The SameSite attribute of the cookie is a second lock.',
  passages: [
    { room: 'http', name: 'judgeOrigin', stop: 'return { reason' },
    { room: 'http', name: 'refuseCrossOrigin', stop: 'return refuseRequest' },
  ],
  async run(scene) {
    const { alice } = scene
    await alice.logIn('Alice logs in.')
    const before = await alice.get('/account', 'Alice looks at her account.')
    scene.note('Alice visits the site of the attacker. Her browser sends the form of that site to the bank.')
    const modern = await alice.post('/transfers', FORM, 'A browser of today says that the form is on another site.', {
      Origin: EVIL,
      'Sec-Fetch-Site': 'cross-site',
    })
    const old = await alice.post('/transfers', FORM, 'An old browser names only the origin of the form.', {
      Origin: EVIL,
    })
    const after = await alice.get('/account', 'Alice looks at her account again.')
    return {
      isStopped: modern.status === 403 && old.status === 403 && balanceIn(before.page) === balanceIn(after.page),
      decisive: [modern, old],
      words: `Her balance is ${balanceIn(after.page)}. Before the attack it was ${balanceIn(before.page)}.`,
    }
  },
}

function balanceIn(page: string): string | undefined {
  return /<strong>([^<]*)<\/strong>/.exec(page)?.[1]
}
