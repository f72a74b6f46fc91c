import { initTRPC, TRPCError } from '@trpc/server'
import { fastifyTRPCPlugin } from '@trpc/server/adapters/fastify'
import Fastify from 'fastify'
import secureSession from 'fastify-session-guard'

const t = initTRPC.context().create()

const member = t.procedure.use(({ ctx, next }) => {
  if (ctx.req.user === null) throw new TRPCError({ code: 'UNAUTHORIZED' })
  return next({ ctx: { ...ctx, user: ctx.req.user } })
})

const router = t.router({
  // Check the password here. This example takes any name.
  login: t.procedure
    .input((value) => String(value))
    .mutation(async ({ ctx, input }) => {
      await ctx.req.login({ id: input })
      return ctx.req.user
    }),
  me: member.query(({ ctx }) => ctx.user),
  logout: t.procedure.mutation(async ({ ctx }) => {
    await ctx.req.logout()
    return null
  }),
})

const app = Fastify()
await app.register(secureSession)
await app.register(fastifyTRPCPlugin, {
  prefix: '/trpc',
  trpcOptions: { router, createContext: ({ req, res }) => ({ req, res }) },
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 3000) }))
