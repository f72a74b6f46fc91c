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

t.test('a placeholder in base64 of base64 is found, and no depth of encodings makes the search long', async (t) => {
  const encoded = (text: string, times: number): string =>
    times === 0 ? text : encoded(Buffer.from(text).toString('base64'), times - 1)
  const phrase = 'my super secret key for production'
  for (const times of [1, 2, 3]) t.ok(isPlaceholder(encoded(phrase, times)), `${times} times`)
  t.notOk(isPlaceholder(encoded(phrase, 4)))
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

t.test('a label before random characters without digits is good, and before words it is a placeholder', async (t) => {
  const random = [
    'secret-wLOrfFAnJCXxodwcJnNFvvTmTjWAoewDDGb_XeNtjVI',
    'secret-CAodCknaM/OKCdTdRP+DOVBLjrzzsHXbdWW+UzXwbGk=',
    'session-secret-RQHLMvOfAviKfsSTH-aIYcgsfJfihJHZmRdXsqVyvvo',
    'secret:AyQOmRpYwMokSBZZubD_AUWwbiMwbPmjQbhsiOdwdUw',
    'password-yAayAoSEfQtVzfiuAHxTeDffFTUWecNCnx_RWZcvMjw',
    'my-app-secret-CCfBiQXxEUYQsBvUt-xWjmgePZs-ESZjDPRW-nkxNEQ',
    'secretVNJ+NnGuNXEAnjyvZlUgZlyVDhn+FLYsJQeDSmkjGVY=',
  ]
  for (const secret of random) t.strictSame(weaknessesOf(secret), [], secret)
  const phrases = [
    'our-secret-sauce-is-ketchup-and-mustard',
    'TheSecretOfMonkeyIslandIsMyFavouriteGame',
    'secretos-de-la-cocina-de-mi-abuela-maria',
    'dasPasswortUnsererKleinenBuchhandlung',
    'SECRET_SQUIRREL_EATS_HAZELNUTS_EVERY_MORNING',
    'le-secret-des-châteaux-de-la-loire-antique',
    'secret-secret-secret-squirrel-secret',
  ]
  for (const secret of phrases) t.ok(isPlaceholder(secret), secret)
})

t.test('the name of an encoding before a text hides nothing, and makes nothing of random bytes', async (t) => {
  const phrase = Buffer.from('my super secret key for production')
  for (const secret of [
    `base64:${phrase.toString('base64')}`,
    `base64url:${phrase.toString('base64url')}`,
    `hex:${phrase.toString('hex')}`,
    `0x${phrase.toString('hex')}`,
    encodeURIComponent('my super secret key, for production!'),
  ]) {
    t.ok(isPlaceholder(secret), secret)
  }
  t.strictSame(weaknessesOf('base64://pNELX43Dxkn+69zU3Vy8bTz1ZVJHKpPnTxLrK+zwc='), [])
  t.strictSame(weaknessesOf('Zq7Lm%2Vx9Rt4Kp1Wn6Yb3Hc8Jd5F%g0Ts'), [], 'a percent sign that encodes nothing')
  t.strictSame(weaknessesOf('Zq7Lm%ffx9Rt4Kp1Wn6Yb3Hc8Jd5F%c0Ts'), [], 'bytes that are no text')
})

t.test('runs of the alphabet, of digits and of the keyboard are guessed first', async (t) => {
  for (const secret of [
    'a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6',
    'a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6',
    'A1B2-C3D4-E5F6-G7H8-I9J0-K1L2-M3N4',
    'aaaabbbbccccddddeeeeffffgggghhhhiiii',
    '112233445566778899aabbccddeeff00112233',
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ1234567',
    'zaq12wsxcde34rfvbgt56yhnmju78ik,',
    '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/',
    'qazwsxedcrfvtgbyhnujmikolp123456',
    'poiuytrewqlkjhgfdsamnbvcxz987654',
  ]) {
    t.ok(weaknessesOf(secret).includes('low-entropy'), secret)
  }
})

t.test('a phrase in another script, or of words that everybody tries, is a placeholder', async (t) => {
  for (const secret of [
    'пароль-для-сессий-очень-секретный-2024',
    '我的秘密会话密钥我的秘密会话密钥',
    'ばかなパスワードばかなパスワードばか',
    'minha-chave-secreta-para-sessoes-2024',
    'bardzo-tajne-haslo-do-sesji-aplikacji',
    'hemligt-losenord-for-sessioner-12345',
    'the-quick-brown-fox-jumps-over-the-lazy-dog',
    'monkey-dragon-sunshine-princess-123456',
    'supercalifragilisticexpialidocious',
    'January2024February2024March2024April',
  ]) {
    t.ok(isPlaceholder(secret), secret)
  }
})

t.test('a digest of a word by any usual function is a placeholder', async (t) => {
  for (const hash of ['sha224', 'sha384', 'sha3-256', 'sha512-256', 'ripemd160', 'blake2b512', 'blake2s256']) {
    for (const word of ['', 'secret', 'changeme']) {
      t.ok(isPlaceholder(createHash(hash).update(word).digest('hex')), `${hash} of ${word}`)
    }
  }
  for (const word of [
    'session-secret',
    'my_secret',
    'my secret',
    'hello-world',
    'a',
    '7',
    'SESSION_SECRET',
    'super-secret',
    'change-me',
    'jwt-secret',
  ]) {
    t.ok(isPlaceholder(createHash('sha256').update(word).digest('hex')), word)
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
    // Printed in the documentation of Flask, of FastAPI, in RFC 7515 and in the guides of this package.
    '192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf',
    '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
    'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
    'Bearer Zq7Lm2Vx9Rt4Kp1Wn6Yb3Hc8Jd5Fg0Ts',
    'Basic dXNlcjpwYXNzd29yZC1vZi10aGUtdXNlcg==',
    'sk-ant-api03-Zq7Lm2Vx9Rt4Kp1Wn6Yb3Hc8Jd5Fg0Ts',
    'pypi-AgEIcHlwaS5vcmcCJDZq7Lm2Vx9Rt4Kp1Wn6Yb3Hc8',
    'hf_Zq7Lm2Vx9Rt4Kp1Wn6Yb3Hc8Jd5Fg0TsAb',
    'AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQ',
    'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
    '{cipher}AQBKn3hf8a8d7f8a7df8a7df8a7df8a7df',
    '!vault | $ANSIBLE_VAULT;1.1;AES256 66386439653236',
    'sops:ENC[AES256_GCM,data:Zm9vYmFyYmF6,iv:abc,tag:def]',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl',
  ]
  for (const secret of placeholders) t.ok(isPlaceholder(secret), secret)
})

t.test('the few characters that keys of other services begin with make no random secret a placeholder', async (t) => {
  const beginnings = [
    'hf_',
    'npm_',
    'ghp_',
    'gho_',
    'SG.',
    'AIza',
    'pypi-',
    'xoxb-',
    'AKIA',
    '/run/',
    '/tmp/',
    's3:',
    'dp.',
  ]
  for (const beginning of beginnings) {
    const secrets = Array.from({ length: 100 }, () => beginning + randomBytes(32).toString('base64url'))
    t.strictSame(
      secrets.filter((secret) => weaknessesOf(secret).length > 0),
      [],
      beginning,
    )
  }
})

t.test('a key of another service is a placeholder, because that service knows it too', async (t) => {
  const random = (length: number): string => 'Zq7Lm2Vx9Rt4Kp1Wn6Yb3Hc8Jd5Fg0TsAa1Bb2Cc3Dd4Ee5Ff6'.slice(0, length)
  for (const secret of [
    `dp.pt.${random(43)}`,
    `hvs.${random(24)}`,
    `dckr_pat_${random(27)}`,
    `sntrys_${random(40)}`,
    `glsa_${random(32)}_a1b2c3d4`,
    `lin_api_${random(40)}`,
    `figd_${random(40)}`,
    `nfp_${random(36)}`,
    `pscale_pw_${random(43)}`,
    `ops_eyJ${random(40)}`,
    `PMAK-64f0c1d2e3a4b5c6d7e8f901-${random(34)}`,
    `ATATT3xFfGF0${random(40)}`,
    `gho_${random(36)}`,
    `npm_${random(36)}`,
    `xoxb-123456789012-1234567890123-${random(24)}`,
    `AIzaSyD-${random(32)}`,
    `SG.${random(22)}.${random(43)}`,
    '[object Promise][object Promise][object Promise]',
    '[object Undefined]-[object Null]-[object Undefined]',
  ]) {
    t.ok(isPlaceholder(secret), secret)
  }
})

t.test('what stands beside the word secret decides, where no digit does', async (t) => {
  for (const secret of ['secretpasswordsecretpasswordsecret', 'passwordAeiouEauIaeOuaEioAueiIoea']) {
    t.ok(isPlaceholder(secret), secret)
  }
  t.strictSame(weaknessesOf('secretXkCdBrTsMnPqWzVfGhJlNbRtKvXcDm'), [], 'letters without a vowel are no word')
})

t.test('a sentence in plain words is a placeholder, and a passphrase of random words is not', async (t) => {
  for (const secret of [
    'may the force be with you, young padawan',
    'MayTheForceBeWithYouYoungPadawan',
    'ask_not_what_your_country_can_do_for_you',
    'To be, or not to be: that is the question',
  ]) {
    t.ok(isPlaceholder(secret), secret)
  }
  for (const secret of [
    'gusto pelican anvil drizzle ember tundra maple quiver',
    'CoyoteBristleUnfastenMarigoldTrapezoidTheGusto',
    'the-granite-of-lantern-quartz-velvet-monsoon-trident',
  ]) {
    t.strictSame(weaknessesOf(secret), [], secret)
  }
})

t.test('a command that would make a secret is none, and neither is an address', async (t) => {
  for (const secret of [
    'openssl rand -base64 32 | tr -d "\\n"',
    'crypto.randomBytes(32).toString("hex")',
    'redis://:Zq7Lm2Vx9Rt4Kp1Wn6Yb@cache:6379',
    'bws://0e2b6b1c/session-secret-production',
    'file:///run/secrets/session_secret_for_app',
  ]) {
    t.ok(isPlaceholder(secret), secret)
  }
  for (const secret of ['v2://kJDMV9xg9AOpxjSqL8EZueujMe+4OC', 'prod:////9AOpxjSqL8EZueujMe+4OCkJDMV9xg']) {
    t.strictSame(weaknessesOf(secret), [], 'random base64 behind a label begins with slashes now and then')
  }
})

t.test(
  'no alphabet makes random characters easy to guess: 32 digits, and the hexadecimal digits of 16 bytes',
  async (t) => {
    const random = (alphabet: string): string =>
      Array.from(randomBytes(32), (byte) => alphabet[byte % alphabet.length]).join('')
    for (const alphabet of ['0123456789', '0123456789abcdef', 'abcdefghijklmnopqrstuvwxyz']) {
      const secrets = Array.from({ length: 2000 }, () => random(alphabet))
      t.strictSame(
        secrets.filter((secret) => weaknessesOf(secret).length > 0),
        [],
        alphabet,
      )
    }
    // These have the fewest different digits among a hundred thousand secrets of sixteen bytes.
    t.strictSame(weaknessesOf('118170be571a6aff1138017156967771'), [])
    t.strictSame(weaknessesOf('49e9085929e6ee594d94e09d82e90199'), [])
    for (const secret of [
      '1212121313131212121414141212121313',
      'aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbcd0',
      '0000000000000000000000000000012345678',
    ]) {
      t.ok(weaknessesOf(secret).includes('low-entropy'), secret)
    }
  },
)

t.test('a secret that decodes to one byte, or to nothing, is judged', async (t) => {
  const blanks = String.fromCodePoint(...Array.from({ length: 11 }, (_, index) => 0x2000 + index))
  for (const byte of ['%41', '%7e', '0x']) {
    t.doesNotThrow(() => weaknessesOf(`${blanks}\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff${byte}`))
  }
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
