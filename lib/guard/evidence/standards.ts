import { ASVS_FRONTEND } from './asvs-frontend.ts'
import { ASVS_SESSIONS } from './asvs-sessions.ts'
import { CHEAT_SHEET } from './cheat-sheet.ts'
import { NIST } from './nist.ts'
import type { Standard } from './requirement.ts'

/** The standards that speak of sessions, and every requirement that they have. */
export const STANDARDS: readonly Standard[] = [
  {
    name: 'OWASP ASVS 5.0, V7 Session Management',
    url: 'https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/0x16-V7-Session-Management.md',
    requirements: ASVS_SESSIONS,
  },
  {
    name: 'OWASP ASVS 5.0, V3.3–V3.5 Web Frontend Security',
    url: 'https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/0x12-V3-Web-Frontend-Security.md',
    requirements: ASVS_FRONTEND,
  },
  { name: 'NIST SP 800-63B-4, section 5', url: 'https://pages.nist.gov/800-63-4/sp800-63b.html', requirements: NIST },
  {
    name: 'OWASP Session Management Cheat Sheet',
    url: 'https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html',
    requirements: CHEAT_SHEET,
  },
]
