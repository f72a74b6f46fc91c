import assert from 'node:assert/strict'
import type { Request } from 'autocannon'
import type { Visitor } from '../visitor.ts'
import { cookiesAfter } from '../visitor.ts'
import type { Scenario } from './scenario.ts'

/** One iteration is two requests: a login without a cookie, and a logout with the cookie it gave. */
export const loginLogout: Scenario = {
  name: 'login-logout',
  title: 'login + logout',
  needsLogin: false,
  requests,
  async check(visitor, peer) {
    await visitor.send('login')
    assert.deepEqual(await visitor.send('user'), visitor.user)
    const before = visitor.cookie
    await visitor.send('logout')
    if (peer.endsSessions) assert.equal(await visitor.statusOf('user', before), 401, 'a dead id still logs in')
    assert.equal(await visitor.statusOf('user'), 401)
    await visitor.send('login')
    if (!peer.isFloor) assert.notEqual(visitor.cookie, before, 'two logins gave one id')
  },
}

function requests(visitor: Visitor): Request[] {
  const login: Request = {
    ...visitor.request('login'),
    onResponse(_status, _body, context, headers) {
      context['cookie'] = cookiesAfter('', headers['set-cookie'] ?? headers['Set-Cookie'])
    },
  }
  const logout = visitor.request('logout')
  const withCookie: Request = {
    ...logout,
    setupRequest: (request, context) => ({
      ...request,
      headers: { ...logout.headers, cookie: context['cookie'] ?? '' },
    }),
  }
  return [login, withCookie]
}
