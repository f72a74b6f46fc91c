/** A store that can be made to fail, for the case in which it is down. */
export interface Outage {
  isDown: boolean
}

/** The things outside an app that outlive its process. */
export interface Setting {
  readonly port: number
  /** 32 random bytes, as base64url. */
  readonly secret: string
  /** The folder of a database or of files. */
  readonly folder: string
  /** The address of a Redis server. Absent: a store in Redis is replaced by one in the memory of the process. */
  readonly redis?: string
}

/** Starts an app in this process. */
export type Start = (setting: Setting, outage: Outage) => Promise<URL>
