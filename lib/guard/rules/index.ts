import { environmentConflict, environmentDeployed, environmentUnknown, environmentUnset } from './environment.ts'
import { absoluteTooLong, idleTooLong, rememberTooLong, renewalOff, timeoutsInverted } from './lifetime.ts'
import { cookieNameFingerprint, cookieNameInvalid, cookieTooBig } from './name.ts'
import { copiedSessionKept } from './copied-session.ts'
import * as cors from './cors.ts'
import { slugFor } from './crosswalk.ts'
import * as deployment from './deployment.ts'
import * as device from './device-bound.ts'
import { duplicateCookie } from './duplicate-cookie.ts'
import { corsHeaderHidden } from './header-cors.ts'
import { migrationCookieShared, migrationOpen, migrationSecretWeak } from './migration.ts'
import * as neighbours from './neighbours.ts'
import * as prefix from './prefix.ts'
import * as routes from './routes.ts'
import * as scan from './scan.ts'
import * as scope from './scope.ts'
import { secretDuplicate, secretLowEntropy, secretMissing, secretPlaceholder, secretShort } from './secrets.ts'
import * as shape from './shape.ts'
import { silenceInvalid, silenceUnused } from './silence.ts'
import { secretInSource } from './source.ts'
import * as store from './store.ts'
import { storePowersMissing } from './store-powers.ts'
import * as upkeep from './store-upkeep.ts'
import * as transport from './transport.ts'
import { maxSessionsUnset, userIndexMissing } from './user-index.ts'
import * as values from './values.ts'
import * as wire from './wire.ts'
import { FOREIGN } from '../read/foreign-options.ts'
import { slugForSetting } from './other-stacks.ts'
import type { Rule } from './rule.ts'

/** The catalogue, in the order of the documentation. */
export const RULES: readonly Rule[] = Object.freeze([
  shape.unknownOption,
  shape.optionWrongLevel,
  shape.foreignOption,
  values.optionType,
  values.durationUnit,
  values.sameSiteInvalid,
  transport.sameSiteNoneRequiresSecure,
  transport.secureRequired,
  transport.secureAuto,
  transport.tlsUnproven,
  wire.trustProxyMissing,
  wire.trustProxyHopCount,
  upkeep.trustProxyAll,
  wire.plainHttpInProduction,
  transport.httpOnlyDisabled,
  cors.sameSiteNoneExposed,
  transport.partitionedRequiresSecure,
  transport.partitionedWithoutNone,
  wire.hstsMissing,
  prefix.prefixHost,
  prefix.prefixSecure,
  prefix.prefixHttp,
  prefix.prefixCase,
  prefix.prefixMissing,
  cookieNameInvalid,
  cookieNameFingerprint,
  scope.domainMalformed,
  scope.domainLocal,
  scope.domainPublicSuffix,
  scope.domainWide,
  scope.pathInvalid,
  scope.pathNarrow,
  cookieTooBig,
  timeoutsInverted,
  idleTooLong,
  absoluteTooLong,
  rememberTooLong,
  renewalOff,
  copiedSessionKept,
  device.deviceBoundCookie,
  device.deviceBoundStore,
  device.deviceBoundLifetime,
  device.deviceBoundHeader,
  device.deviceBoundBlocked,
  neighbours.sudoMissing,
  secretMissing,
  secretShort,
  secretLowEntropy,
  secretPlaceholder,
  secretDuplicate,
  neighbours.secretReused,
  secretInSource,
  migrationSecretWeak,
  migrationOpen,
  migrationCookieShared,
  store.memoryStore,
  store.memoryStoreCluster,
  store.storeIncomplete,
  store.storeWeaker,
  neighbours.storeUnreachable,
  store.storePlaintext,
  upkeep.storeTlsUnverified,
  upkeep.storeEphemeral,
  upkeep.sweepUnset,
  upkeep.redisEvicts,
  upkeep.clockSkew,
  storePowersMissing,
  maxSessionsUnset,
  userIndexMissing,
  neighbours.duplicatePlugin,
  duplicateCookie,
  routes.cookieHookOff,
  routes.requireLoginOptedOut,
  routes.loginByGet,
  routes.logoutByGet,
  environmentUnset,
  environmentUnknown,
  environmentConflict,
  environmentDeployed,
  cors.corsCredentialsReflect,
  cors.corsCredentialsWildcard,
  cors.corsTrustedMismatch,
  corsHeaderHidden,
  cors.crossOriginOff,
  routes.csrfCookieInsecure,
  silenceInvalid,
  silenceUnused,
  deployment.httpsRedirectMissing,
  deployment.cookieOverHttp,
  deployment.sameSiteMissing,
  deployment.loginKeepsId,
  deployment.logoutKeepsSession,
  scan.sessionCacheable,
  scan.sessionIdInUrl,
  scan.sessionIdWeak,
  scan.hstsWeak,
  scan.loginOverHttp,
  scan.cookieSetTwice,
  scan.embeddable,
])

/**
 * Returns a rule by its slug or id, by its name in another tool (`W012`), or by a setting of another stack
 * (`SESSION_COOKIE_SECURE`). Returns `undefined` when there is none.
 */
export function ruleNamed(name: string): Rule | undefined {
  const slug = name.replace(/^session\//, '')
  const elsewhere =
    slugFor(slug) ?? slugForSetting(slug) ?? (Object.hasOwn(FOREIGN, slug) ? 'foreign-option' : undefined)
  return RULES.find((rule) => rule.slug === slug) ?? RULES.find((rule) => rule.slug === elsewhere)
}
