export { makeCertificate } from '../../lib/demo/certificate.ts'
export type { Certificate } from '../../lib/demo/certificate.ts'
