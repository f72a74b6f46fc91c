import cookiePlugin from '@fastify/cookie'
import Fastify from 'fastify'
import t from 'tap'
import { secureSession } from '../../lib/index.ts'
import { guide } from '../support/guides.ts'
import { SECRET } from './world.ts'

t.test('@fastify/cookie registered after this plugin fails with the message that the guide explains', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(secureSession, { environment: 'test', secret: SECRET })
  app.register(cookiePlugin)
  const error = await app.ready().then(
    () => undefined,
    (failure: unknown) => failure as { code: string; message: string },
  )
  t.equal(error?.code, 'FST_ERR_DEC_ALREADY_PRESENT')
  t.match(guide('lib/http/README.md'), `${error?.code}: ${error?.message}`)
})
