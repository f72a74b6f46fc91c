export const MINUTE = 60_000

/** The session timeouts of the bank in minutes, because its pages name them. They are the defaults of the plugin. */
export const IDLE_MINUTES = 30
export const RENEWAL_MINUTES = 15

/** The same timeouts as options of the plugin. */
export const TIMEOUTS = { idleTimeout: '30m', renewalTimeout: '15m' } as const

/** The time by which one press of the button moves the bank's clock. */
export const STEP_MINUTES = 5

/** The lifetime of the bound cookie of a device-bound session in minutes: the default of the plugin. */
export const BOUND_MINUTES = 10
