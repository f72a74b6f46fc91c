import type { FastifyInstance } from 'fastify'
import { ATTACKS } from '../attacks/all.ts'
import type { Attack } from '../attacks/attack.ts'
import { readPassage } from '../attacks/passage.ts'
import type { AttackRunner } from '../attacks/runner.ts'
import type { Bank } from '../bank.ts'
import { attackPage } from '../pages/attack.ts'
import type { ListedAttack } from '../pages/attacks.ts'
import { attackAddress, attacksPage } from '../pages/attacks.ts'
import { sendPage } from './send-page.ts'

/** The attack page, and a page for each attack. A visitor chooses an attack from a list and nothing else. */
export function attackRoutes(app: FastifyInstance, bank: Bank, runner: AttackRunner): void {
  const isMissing = ({ needsBinding = false }: Attack): boolean => needsBinding && !bank.isBinding
  const listed = (attack: Attack): ListedAttack => ({
    attack,
    run: runner.latest(attack),
    isMissing: isMissing(attack),
  })

  app.get('/attacks', (request, reply) => {
    return sendPage(bank, request, reply, attacksPage(ATTACKS.map(listed)))
  })

  for (const attack of ATTACKS) {
    const address = attackAddress(attack)

    app.get(address, async (request, reply) => {
      const passages = await Promise.all(attack.passages.map(readPassage))
      return sendPage(bank, request, reply, attackPage({ ...listed(attack), passages }))
    })

    if (isMissing(attack)) continue
    app.post(address, async (_request, reply) => {
      await runner.run(attack)
      return reply.redirect(address, 303)
    })
  }
}
