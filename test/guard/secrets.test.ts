import { createHash, randomBytes, randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import t from 'tap'
import { weaknessesOf } from '../../lib/guard/read/secret-strength.ts'
import { good, judge, SECRET } from './configs.ts'

const isPlaceholder = (secret: string): boolean => weaknessesOf(secret).includes('placeholder')

t.test('a digest of nothing, or of a word that everybody tries, is a placeholder', async (t) => {
  for (const word of [
    '',
    'secret',
    'password',
    'admin',
    'changeme',
    'keyboard cat',
    '123456',
    'Secret',
    'hello world',
  ]) {
    for (const hash of ['md5', 'sha1', 'sha256', 'sha512']) {
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        const secret = createHash(hash).update(word).digest(encoding)
        t.ok(isPlaceholder(secret), `${hash} of ${JSON.stringify(word)} in ${encoding}`)
        if (encoding === 'hex') t.ok(isPlaceholder(secret.toUpperCase()))
      }
    }
  }
})

t.test('a digest of a password is a placeholder, with its line break, twice, and hashed again', async (t) => {
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
  for (const password of [
    'Secret123',
    'secret\n',
    'Secret123\n',
    'Password1',
    'admin123',
    'P@ssw0rd',
    'qwerty123!',
    'SECRET',
  ]) {
    for (const hash of ['md5', 'sha1', 'sha256', 'sha512']) {
      for (const encoding of ['hex', 'base64'] as const) {
        t.ok(isPlaceholder(createHash(hash).update(password).digest(encoding)), `${hash} of ${password} in ${encoding}`)
      }
    }
  }
  t.ok(isPlaceholder(md5('secret') + md5('password')))
  t.ok(isPlaceholder(md5(md5('secret'))))
  t.ok(isPlaceholder(`md5:${md5('secret')}`))
  t.ok(weaknessesOf(md5('Zq7Lm2Vx9') + md5('Zq7Lm2Vx9')).includes('low-entropy'), 'the same digest twice')
  const good32 = randomBytes(32).toString('hex')
  t.strictSame(weaknessesOf(good32 + good32), [], 'a good secret twice is as good as once')
})

t.test('a label with its date is a placeholder, and a label before random bytes is not', async (t) => {
  for (const secret of [
    'session-secret-2024-production-v1',
    'session-secret-2024-01-15-rotation-2',
    'session-secret-2024-01-01T00:00:00Z',
    'prod-session-secret-2024-acme-corp',
    'session_secret_2024_a1b2c3d4_for_shop',
  ]) {
    t.ok(isPlaceholder(secret), secret)
  }
  for (let round = 0; round < 200; round += 1) {
    t.strictSame(weaknessesOf(`session-secret-${randomBytes(24).toString('hex')}`), [])
  }
})

t.test('digits that anybody can write down are a placeholder', async (t) => {
  for (const secret of [
    '31415926535897932384626433832795',
    '3.14159265358979323846264338327950288',
    '27182818284590452353602874713526',
    '1.6180339887498948482045868343656381',
    '12345678910111213141516171819202122',
    '243f6a8885a308d313198a2e03707344a409',
  ]) {
    t.ok(isPlaceholder(secret), secret)
  }
})

t.test('a token, a sample and the name of a secret are placeholders', async (t) => {
  const placeholders = [
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c',
    'your-256-bit-secret',
    'a-string-secret-at-least-256-bits-long',
    '123e4567-e89b-12d3-a456-426614174000',
    '550e8400-e29b-41d4-a716-446655440000',
    'f47ac10b-58cc-4372-a567-0e02b2c3d479',
    '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
    'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx',
    'undefined-undefined-undefined-undefined',
    'null:null:null:null:null:null:null:null',
    '[object Object][object Object][object Object]',
    'arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/session-AbCdEf',
    'projects/123456789012/secrets/session-key/versions/latest',
    'ENC[AES256_GCM,data:Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4,iv:abc,tag:def,type:str]',
    '$ANSIBLE_VAULT;1.1;AES256 66386439653236336462626566653063336164663966303231363934653561363964',
    'https://vault.example.com/v1/secret/data/app-session-key',
    'op://production/session/key-of-the-session-cookie',
    'postgres://app:Zq7Lm2Vx9Rt4Kp1Wn6@db.example.com/app',
    '@Microsoft.KeyVault(SecretUri=https://app.vault.azure.net/secrets/k/)',
    '/run/secrets/session_signing_key_of_the_shop',
    'sk_test_4eC39HqLyjWDarjtT1zdp7dc4eC39HqLyjWDarjtT1zdp7dc',
    'ghp_16C7e42F292c6912E7710c838347Ae178B4a',
    'AKIAIOSFODNN7EXAMPLEAKIAIOSFODNN7EXAMPLE',
    'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    '{"secret":"Zq7Lm2Vx9Rt4Kp1Wn6Yb3Hc8Jd5Fg0Ts"}',
    '["Zq7Lm2Vx9Rt4Kp1Wn6Yb3Hc8Jd5Fg0Ts"]',
    '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=',
    '-----BEGIN RSA PRIVATE KEY-----',
    '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIBkg',
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl',
  ]
  for (const secret of placeholders) t.ok(isPlaceholder(secret), secret)
})

t.test('a phrase is a phrase in camel case, with digits for letters, and with its year', async (t) => {
  const phrases = [
    'ThisIsMyVerySecretSessionKeyForProduction',
    'mySuperLongPasswordForTheFastifyServer',
    'MyS3cr3tK3yF0rS3ss10ns_D0N0tSh4r3!',
    'Sup3rS3cr3tP4ssw0rdF0rMyW3bApp2024',
    'P@ssw0rd_P@ssw0rd_P@ssw0rd_P@ssw0rd',
    'nobodyWillEverGuessThisLongStringOfWords',
    'This_Should_Be_At_Least_32_Characters_Long',
    'TheSessionStoreOfOurCompanyIsTheBestOne',
    'meinGeheimesSitzungsPasswort2024',
    'meinSuperGeheimerSchlüsselFuerCookies',
    'bitteAendernGeheimerSchluessel2025',
    'niemandKenntDiesesPasswort1234',
    'motDePasseSuperSecretPourLaSession',
    'estaEsMiClaveSecretaDeSesion2024',
  ]
  for (const secret of phrases) t.ok(isPlaceholder(secret), secret)
})

t.test('what is encoded is judged decoded', async (t) => {
  const counting = Buffer.from(Array.from({ length: 32 }, (_, index) => index))
  const guessable = [
    counting,
    Buffer.from(counting.toReversed()),
    Buffer.alloc(32),
    Buffer.alloc(32, 7),
    Buffer.alloc(32, 'ab'),
  ]
  for (const bytes of guessable) {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      t.ok(weaknessesOf(bytes.toString(encoding)).includes('low-entropy'), `${encoding} ${bytes.toString('hex')}`)
    }
  }
  const texts = ['a secret with minimum length of 32 characters', 'keyboard cat keyboard cat', 'my-session-secret-2024']
  for (const text of texts) {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      t.ok(isPlaceholder(Buffer.from(text).toString(encoding)), `${encoding} of ${text}`)
    }
  }
  const twice = Buffer.from(Buffer.from(texts[0] as string).toString('base64')).toString('base64')
  t.ok(isPlaceholder(twice))
})

t.test(
  'random bytes are good, whatever their encoding, and so are a UUID and a passphrase of random words',
  async (t) => {
    const encodings = fc.constantFrom<BufferEncoding>('base64', 'base64url', 'hex')
    const property = fc.property(fc.integer({ min: 32, max: 64 }), encodings, (length, encoding) => {
      const secret = randomBytes(length).toString(encoding)
      if (weaknessesOf(secret).length > 0) throw new Error(`${secret} ${weaknessesOf(secret).join()}`)
      if (weaknessesOf(secret.replaceAll('=', '')).length > 0) throw new Error(secret)
    })
    t.doesNotThrow(() => fc.assert(property, { numRuns: 6000 }))
    for (const secret of ['"Zq7Lm2Vx9Rt4Kp1Wn6Yb3Hc8Jd5Fg0Ts"', '<Zq7Lm2Vx9;Rt4Kp1Wn6,Yb3Hc8Jd5?Fg0Ts>']) {
      t.strictSame(weaknessesOf(secret), [], 'signs around random characters')
    }
    for (let round = 0; round < 200; round += 1) t.strictSame(weaknessesOf(randomUUID()), [])
    t.strictSame(weaknessesOf('1HbtfUBjwOGjIB-53WIjxcpaYSUmhwe6aZiHUt02qQw-VVXG_hbszfYb-VBfiXmE0_eMrK3wlLZctFI4'), [])
    t.strictSame(weaknessesOf('a-secret-of-32-bytes-or-more-FIXME'), ['placeholder'])
    t.strictSame(weaknessesOf('tulip-granite-osprey-lantern-quartz-velvet-monsoon-trident'), [])
    t.strictSame(judge(good({ secret: SECRET })), [])
  },
)
