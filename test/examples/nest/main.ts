import 'reflect-metadata'
import { Body, Controller, Get, HttpCode, Injectable, Module, Post, Req, UseGuards } from '@nestjs/common'
import type { CanActivate, ExecutionContext } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import type { FastifyRequest } from 'fastify'
import { secureSession } from 'fastify-session-guard'
import { redisStore } from 'fastify-session-guard/stores/redis'
import { createClient } from 'redis'

declare module 'fastify' {
  interface SessionUser {
    name: string
  }
}

/** Lets members in. The 401 of anybody else comes from `requireUser`. */
@Injectable()
class MemberGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    context.switchToHttp().getRequest<FastifyRequest>().requireUser()
    return true
  }
}

@Controller()
class AccountController {
  @Post('login')
  @HttpCode(200)
  async login(@Req() req: FastifyRequest, @Body() body: { name: string }): Promise<object> {
    await req.login({ id: body.name.toLowerCase(), name: body.name })
    return { user: req.user }
  }

  @Get('me')
  @UseGuards(MemberGuard)
  me(@Req() req: FastifyRequest): object {
    return req.requireUser()
  }

  @Post('note')
  @UseGuards(MemberGuard)
  note(@Req() req: FastifyRequest, @Body() body: { key: string; text: string }): object {
    Object.assign(req.session, { [body.key]: body.text })
    return {}
  }

  @Post('logout')
  @HttpCode(200)
  async logout(@Req() req: FastifyRequest): Promise<object> {
    await req.logout()
    return {}
  }
}

@Module({ controllers: [AccountController] })
class AppModule {}

const client = createClient({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379', disableOfflineQueue: true })
client.on('error', () => undefined)
await client.connect()

const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: ['error'] })
await app.register(secureSession, { store: redisStore({ client }) })
await app.listen(process.env['PORT'] ?? 3000, '127.0.0.1')
console.log(await app.getUrl())
