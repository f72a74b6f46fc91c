import t from 'tap'
import { cookieAttributes, cookieFacts } from '../../lib/demo/cookie-facts.ts'

t.test('the shown cookie line in production has the __Host- prefix and Secure', async (t) => {
  const facts = cookieFacts(cookieAttributes({ environment: 'production' }), 'http')
  t.strictSame(facts, { line: '__Host-session=…; Path=/; Secure; HttpOnly; SameSite=Lax', isSecure: true })
})

t.test('the shown cookie line in development has Secure over https and not over http', async (t) => {
  const cookie = cookieAttributes({ environment: 'development', cookie: { sameSite: 'strict' } })
  t.strictSame(cookieFacts(cookie, 'https'), {
    line: 'session=…; Path=/; Secure; HttpOnly; SameSite=Strict',
    isSecure: true,
  })
  t.strictSame(cookieFacts(cookie, 'http'), { line: 'session=…; Path=/; HttpOnly; SameSite=Strict', isSecure: false })
})
