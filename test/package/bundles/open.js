import Fastify from 'fastify'
import secureSession from 'fastify-session-guard'
import { ironSession } from 'fastify-session-guard/migrate/iron-session'
import { openStore } from 'fastify-session-guard/stores/open'

/** Opens a store, and prints whether it answers and what the app is told about a package that is nowhere. */
async function main() {
  const store = await openStore('sqlite:sessions.db')
  const isEmpty = (await store.get('nothing')) === undefined
  await store.close()
  const old = ironSession({
    cookieName: 'old',
    password: 'rQ8vWk2pLx0eT5sZ9yB3uN7mD1fH6jCa',
    user: () => null,
    until: '2099-01-01',
  })
  const told = await Fastify()
    .register(secureSession, { environment: 'test', migrateFrom: [old] })
    .then(
      () => 'nothing',
      (error) => error.message,
    )
  console.log(JSON.stringify({ isEmpty, told }))
}

void main()
