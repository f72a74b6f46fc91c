import Fastify from 'fastify'
import secureSession from 'fastify-session-guard'
import mercurius from 'mercurius'

const schema = `
  type User { id: ID! }
  type Query { me: User }
  type Mutation { login(name: String!): User, logout: Boolean, say(text: String!): Boolean }
  type Subscription { said: String }
`

/** The request stands in the context under `reply.request`; a subscription has the request of its WebSocket. */
const resolvers = {
  Query: { me: (_root, _args, { reply }) => reply.request.user },
  Mutation: {
    // Check the password here. This example takes any name.
    login: async (_root, { name }, { reply }) => {
      await reply.request.login({ id: name })
      return reply.request.user
    },
    logout: async (_root, _args, { reply }) => {
      await reply.request.logout()
      return true
    },
    say: async (_root, { text }, { reply, pubsub }) => {
      const { id } = reply.request.requireUser()
      await pubsub.publish({ topic: 'said', payload: { said: `${id}: ${text}` } })
      return true
    },
  },
  Subscription: { said: { subscribe: (_root, _args, { pubsub }) => pubsub.subscribe('said') } },
}

const app = Fastify()
await app.register(secureSession)
// Only members may open a socket. The plugin closes the socket when their session ends.
app.addHook('onRequest', async (req) => {
  if (req.headers.upgrade !== undefined) req.requireUser()
})
await app.register(mercurius, {
  schema,
  resolvers,
  subscription: { context: (_socket, request) => ({ listener: request.requireUser() }) },
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 3000) }))
