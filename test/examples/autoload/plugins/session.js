import fastifyPlugin from 'fastify-plugin'
import secureSession from 'fastify-session-guard'

/** Without fastify-plugin the routes, which autoload registers beside this plugin, would have no session. */
export default fastifyPlugin(
  async (fastify) => {
    await fastify.register(secureSession)
  },
  { name: 'session' },
)
