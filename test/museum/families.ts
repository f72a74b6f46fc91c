import { caching } from './caching.ts'
import { cookieTossing } from './cookie-tossing.ts'
import { crossOrigin } from './cross-origin.ts'
import { data } from './data.ts'
import { denialOfService } from './denial-of-service.ts'
import type { Family } from './exhibit.ts'
import { expiry } from './expiry.ts'
import { fixation } from './fixation.ts'
import { forgery } from './forgery.ts'
import { leaks } from './leaks.ts'
import { replay } from './replay.ts'
import { resurrection } from './resurrection.ts'

export const FAMILIES: readonly Family[] = [
  fixation,
  resurrection,
  replay,
  caching,
  cookieTossing,
  expiry,
  forgery,
  crossOrigin,
  data,
  denialOfService,
  leaks,
]
