/** Tells whether a Strict-Transport-Security header asks for anything: `max-age=0` takes it back (RFC 6797 6.1.1). */
export function isHsts(header: string | undefined): boolean {
  return header !== undefined && /(^|;)\s{0,9}max-age\s{0,9}=\s{0,9}"?0{0,9}[1-9]/i.test(header)
}
