/** The files of the chapters of OWASP ASVS 5.0. */
const ASVS: Readonly<Record<string, string>> = {
  3: '0x12-V3-Web-Frontend-Security',
  4: '0x13-V4-API-and-Web-Service',
  7: '0x16-V7-Session-Management',
  11: '0x20-V11-Cryptography',
  12: '0x21-V12-Secure-Communication',
  13: '0x22-V13-Configuration',
  14: '0x23-V14-Data-Protection',
}

const CHEAT_SHEETS = 'https://cheatsheetseries.owasp.org/cheatsheets'

/** Kinds of sources, each with the address of one, made of the groups of its pattern. */
const KINDS: readonly (readonly [RegExp, (...groups: string[]) => string])[] = [
  [/^CWE-(\d+)$/, (id) => `https://cwe.mitre.org/data/definitions/${id}.html`],
  [/^OWASP ASVS 5\.0 (\d+)/, (chapter) => `https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/${ASVS[chapter]}.md`],
  [/^OWASP Session Management Cheat Sheet/, () => `${CHEAT_SHEETS}/Session_Management_Cheat_Sheet.html`],
  [/^(?:NIST SP 800-63B-4 |[\d.]+$)/, () => 'https://pages.nist.gov/800-63-4/sp800-63b.html'],
  [
    /^RFC 6265bis (\S+)/,
    (part) => `https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-${part}`,
  ],
  [/^RFC (\d+) (\S+)/, (rfc, part) => `https://www.rfc-editor.org/rfc/rfc${rfc}.html#section-${part}`],
  [/^(draft-[\w-]+) (\S+)/, (name, part) => `https://datatracker.ietf.org/doc/html/${name}#section-${part}`],
  [/^CHIPS \(([\w-]+)\)/, (name) => `https://datatracker.ietf.org/doc/html/${name}`],
  [/^(GHSA(?:-\w{4}){3})$/, (id) => `https://github.com/advisories/${id}`],
  [/^DefinitelyTyped#(\d+)$/, (id) => `https://github.com/DefinitelyTyped/DefinitelyTyped/issues/${id}`],
  [/^([\w.-]+\/[\w.-]+)#(\d+)$/, (name, id) => `https://github.com/${name}/issues/${id}`],
  [/^Django security\./, () => 'https://docs.djangoproject.com/en/stable/ref/checks/#security'],
  [/^Django clearsessions/, () => 'https://docs.djangoproject.com/en/stable/ref/django-admin/#clearsessions'],
  [/^Django deployment/, () => 'https://docs.djangoproject.com/en/stable/howto/deployment/checklist/'],
  [/^MDN HTTP Observatory/, () => 'https://developer.mozilla.org/en-US/observatory/docs/tests_and_scoring'],
  [/^Fetch, ([\d.]+) CORS/, () => 'https://fetch.spec.whatwg.org/#http-cors-protocol'],
  [/^@fastify\/cookie/, () => 'https://github.com/fastify/fastify-cookie#options'],
  [/^Redis: key eviction/, () => 'https://redis.io/docs/latest/develop/reference/eviction/'],
  [/^The Twelve-Factor App: processes/, () => 'https://12factor.net/processes'],
  [/^W3C Device Bound Session Credentials/, () => 'https://w3c.github.io/webappsec-dbsc/'],
  [/^publicsuffix\.org/, () => 'https://publicsuffix.org/'],
]

/** Returns the address of a source of a rule; `undefined` for a source of no known kind. */
export function linkTo(source: string): string | undefined {
  for (const [pattern, address] of KINDS) {
    const [, ...groups] = pattern.exec(source) ?? []
    if (pattern.test(source)) return address(...groups)
  }
  return undefined
}
