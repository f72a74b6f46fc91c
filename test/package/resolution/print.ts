import { typebox, zod } from './providers.js'

for (const answer of [await typebox(), await zod()] as { statusCode: number; body: string }[]) {
  console.log(answer.statusCode, answer.body)
}
