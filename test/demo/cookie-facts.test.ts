import t from 'tap'
import { cookieAttributes, cookieFacts } from '../../lib/demo/cookie-facts.ts'

t.test('in production the cookie is said to be host-only and Secure', async (t) => {
  const facts = cookieFacts(cookieAttributes({ environment: 'production' }), 'http')
  t.strictSame(facts, { line: '__Host-session=…; Path=/; Secure; HttpOnly; SameSite=Lax', isSecure: true })
})

t.test('in development the cookie is said to be Secure exactly over https', async (t) => {
  const cookie = cookieAttributes({ environment: 'development', cookie: { sameSite: 'strict' } })
  t.strictSame(cookieFacts(cookie, 'https'), {
    line: 'session=…; Path=/; Secure; HttpOnly; SameSite=Strict',
    isSecure: true,
  })
  t.strictSame(cookieFacts(cookie, 'http'), { line: 'session=…; Path=/; HttpOnly; SameSite=Strict', isSecure: false })
})
