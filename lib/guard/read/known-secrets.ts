/** Secrets printed in documentation, in lower case without separators; some would pass for random. */
export const SAMPLES: ReadonlySet<string> = new Set([
  'cnaopyawf60hzjzkcnaopyawf60hzjzk',
  'mq9hdxbvdbspdr6n',
  'mq9hdxbvdbspdr6nlfft1g',
  'averylogphrasebiggerthanthirtytwochars',
  'averylongphrasebiggerthanthirtytwochars',
  'asecretwithminimumlengthof32characters',
  'complexpasswordatleast32characterslong',
  'hunter2',
  'thisisaverylongsecretforsessionsigning',
  'astringsecretatleast256bitslong',
  'wjalrxutnfemik7mdengbpxrficyexamplekey',
  // Flask, FastAPI, RFC 7515.
  '192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf',
  '5f352379324c22463451387a0aec5d2f',
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  'aym1sysppbydfgzld3umj1qzkobwvmkoqqestjqlrt1qs0gzh75aktmn3yj0ips4hcguutwjazzr1z9caow',
  // UUIDs of RFC 9562, of Wikipedia and of documentation.
  '123e4567e89b12d3a456426614174000',
  '123e4567e89b12d3a456426655440000',
  '550e8400e29b41d4a716446655440000',
  'f47ac10b58cc4372a5670e02b2c3d479',
  'f81d4fae7dec11d0a76500a0c91e6bf6',
  '6ba7b8109dad11d180b400c04fd430c8',
  'xxxxxxxxxxxx4xxxyxxxxxxxxxxxxxxx',
  'undefined',
  'null',
  'nan',
])

/** Phrases that no random secret holds. */
export const PHRASES: RegExp =
  /changeme|changethis|changeit|replaceme|replacethis|replacewith|yoursecret|yoursession|yoursuper|yourkey|yourown|your256bit|keyboardcat|djangoinsecure|notsosecret|topsecret|mysecret|oursecret|insecuresecret|examplesecret|samplesecret|secrethere|secretgoeshere|putyour|insertyour|enteryour|generateme|todoset|placeholder|asecretwith|atleast32|donotuse|dontuse|onlyfordev|devonly|defaultsecret|devsecret|processenv|correcthorsebatterystaple|opensslrand|randombytes|object(object|promise|undefined|null|function)|loremipsum|iosfodnn7example/

/** The place of a secret, in place of the secret: a variable that nobody filled in, an address, a sealed value. */
const REFERENCES = [
  /^(\$\{.*\}|\$\(.*\)|\{\{.*\}\}|<[\w .:-]*>|%\w+%|\$[A-Z_]+)$/s,
  /^arn:aws/i,
  /^projects\/[\w-]+\/secrets\//,
  /^(sops:)?ENC\[|^\$ANSIBLE_VAULT|^!vault\b|^\{cipher\}|^@Microsoft\.KeyVault\(|^vault:v\d/,
]

/**
 * Tokens and keys that another service made, and texts that everybody may know. Each pattern asks for at least six
 * given characters, or for more of the shape, because one random secret in 250,000 begins with `hf_`.
 */
const FOREIGN_KEYS = [
  /^eyJ[\w-]+\.eyJ[\w-]*\.[\w-]*$/,
  /^(sk|pk|rk)_(test|live)_|^sk-(ant|proj)-|^whsec_|^shp(at|ss)_|^dop_v1_|^github_pat_|^glpat-|^AIzaSy[\w-]{30,36}$|^pypi-AgE/,
  /^(hf_[A-Za-z\d]{34}|npm_[A-Za-z\d]{36}|gh[pousr]_[A-Za-z\d]{36}|AKIA[0-9A-Z]{16,})$/,
  /^SG\.[\w-]{16,}\.[\w-]{16,}$|^xox[abeprs]-(\d{6,}-|\d-\w{60,}|\d\.)|^dp\.(pt|st|ct|sa|scim|audit)\.[A-Za-z\d.]{32,}$/,
  /^hv[sb]\.[\w-]{24,}$|^dckr_pat_|^sntry[su]_|^glsa_[A-Za-z\d]{32}_|^lin_api_|^pscale_(pw|tkn|oauth)_|^ATATT3x/,
  /^(figd_[\w-]{36,}|nfp_[A-Za-z\d]{36}|ops_eyJ.*|PMAK-[\da-f]{24}-\w{34})$/,
  /^AGE-SECRET-KEY-1|^age1[a-z\d]{50,}$|^(Bearer|Basic) /i,
  /^-----BEGIN [A-Z0-9 ]{3,40}-----|^ssh-(rsa|ed25519) AAAA|^ecdsa-sha2-/,
]

/** A folder in which machines keep files with secrets. */
export const SECRET_FOLDER: RegExp = /^\/(run|etc|var|mnt|home|opt|app|usr|tmp|secrets)\//

/** Tells whether a text names a secret, or is a secret of something else than the session cookie. */
export function isReference(text: string): boolean {
  const trimmed = text.trim()
  return [...REFERENCES, ...FOREIGN_KEYS].some((pattern) => pattern.test(trimmed)) || isJson(trimmed)
}

function isJson(text: string): boolean {
  if (!/^[[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The parts of which people build invented secrets. */
export const WORDS: readonly string[] = (
  'secret secrets password passwords pass word words passphrase passwd complex encryption encrypt iron session sessions cookie cookies ' +
  'signing signed sign signature super duper ultra mega very really long longest strong safe secure security private hidden random ' +
  'string strings phrase token access auth jwt key keys hash salt value default sample example demo test testing tests dev development ' +
  'develop prod production staging local localhost server service fastify express node nodejs app application project website site web ' +
  'api backend admin root user users login my our your this that the for not and with must should please make sure use used some any ' +
  'here want whatever something anything somewhat minimum maximum length least more than bigger longer characters character chars char ' +
  'bytes bits thirty two one three four five six seven eight nine ten cat dog foo bar baz qux hello world welcome letmein qwertyuiop ' +
  'qwerty asdfghjkl asdf zxcvbnm abcdefghijklmnopqrstuvwxyz abcdefghijklmnop abcdefgh abcdef abcd abc 0123456789abcdef fedcba9876543210 ' +
  '1234567890 0123456789 12345678 123456 1234 123 deadbeef cafebabe badc0ffee is of in to it be at an undefined null nan object ' +
  'share shared never ever always nobody everybody anybody someone people guess guessed know known knows will would can could have has ' +
  'was were are does did company team store shop bank blog chat game house home work life love time day year today best great good new ' +
  'old first last only from into over under then when where what which who why how all each every no on by or as so we us me do ' +
  'database redis mongo mysql postgres http https com org net change changed replace generate generated later now soon nothing ' +
  // Words that everybody tries, and the calendar.
  'quick brown fox jumps jumped lazy monkey dragon sunshine princess football baseball shadow superman batman iloveyou master tell say says ' +
  'supercalifragilisticexpialidocious january february march april may june july august september october november december ' +
  '2020 2021 2022 2023 2024 2025 2026 2027 2028 2029 2030 monday tuesday wednesday thursday friday saturday sunday spring summer autumn winter ' +
  // Other languages, without accents.
  'geheim geheime geheimer geheimes geheimen geheimnis passwort passwoerter kennwort losung sitzung sitzungs schluessel schlussel sicher ' +
  'sicherer sicheres sichere lang langes langer langen mein meine meiner meines unser unsere unseren das der die den dem des ist sind ein ' +
  'eine einen einer sehr bitte aendern andern nicht niemand kennt kennen weiss dieses dieser diese diesen dies fuer fur und mit von zum zur ' +
  'im auf kein keine nur immer anwendung webseite seite firma kekse zufall zufaellig zeichen wort datenbank umgebung ' +
  'mot passe motdepasse mon ma mes notre la le les pour une est tres longue cle clef chaine ' +
  'mi clave claves secreta secreto secretos contrasena contrasenas para esta este sesion el muy segura seguro larga es una con ' +
  'minha meu senha segredo chave sessao sessoes longa muito aplicacao de do da bardzo tajne tajny haslo hasla moje klucz sesja sesji ' +
  'aplikacja aplikacji dla hemlig hemligt losenord nyckel sessioner min mitt gizli sifre anahtar oturum ' +
  'parola segreta segreto chiave sessione mia mio per molto lunga wachtwoord sleutel geheime mijn sessie voor lange'
).split(' ')

export const KNOWN_WORDS: ReadonlySet<string> = new Set(WORDS)

export const MAX_WORD: number = Math.max(...WORDS.map((word) => word.length))
