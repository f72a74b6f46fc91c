import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'
import secureSession from 'fastify-session-guard'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { options } from './app.js'

/** `app.ts` declares the name of a user. */
export type Options = typeof options

/** The routes of both apps log the user in from a typed body, and read the user back without `!`. */
export async function typebox(): Promise<unknown> {
  const app = Fastify().withTypeProvider<TypeBoxTypeProvider>()
  await app.register(secureSession, { environment: 'test' })
  const schema = { body: Type.Object({ name: Type.String() }), response: { 200: Type.Object({ name: Type.String() }) } }
  app.post('/login', { schema }, async (request) => {
    await request.login({ id: 'ada', name: request.body.name })
    // @ts-expect-error -- the provider knows the body
    void request.body.age
    return { name: request.requireUser().name }
  })
  app.get('/me', { preHandler: app.requireLogin() }, async (request) => request.requireUser().name)
  return app.inject({ method: 'POST', url: '/login', payload: { name: 'Ada' } })
}

export async function zod(): Promise<unknown> {
  const app = Fastify().withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  await app.register(secureSession, { environment: 'test' })
  const schema = { body: z.object({ name: z.string() }), response: { 200: z.object({ name: z.string() }) } }
  app.post('/login', { schema }, async (request) => {
    await request.login({ id: 'ada', name: request.body.name })
    // @ts-expect-error -- the provider knows the body
    void request.body.age
    return { name: request.requireUser().name }
  })
  app.get('/me', { onRequest: app.requireLogin({ within: '10m' }) }, async (request) => request.requireUser().name)
  return app.inject({ method: 'POST', url: '/login', payload: { name: 'Ada' } })
}
