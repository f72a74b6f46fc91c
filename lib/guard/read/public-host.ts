import { BlockList, isIP } from 'node:net'

/** Endings of names that exist in one network only, or nowhere (RFC 2606, 6761, 6762, 8375, and what clusters use). */
const PRIVATE_NAMES =
  /\.(?:local|localhost|localdomain|internal|intranet|private|corp|home|lan|svc|test|invalid|home\.arpa)$/

const PRIVATE_ADDRESSES = new BlockList()
const SUBNETS: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
]
for (const [network, prefix] of SUBNETS) PRIVATE_ADDRESSES.addSubnet(network, prefix, familyOf(network))

/**
 * Judges whether users reach a host over the internet. A pod, a service of a cluster, and this machine are not such
 * hosts.
 */
export function isPublicHost(host: string): boolean {
  const bare = host
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase()
  if (isIP(bare) !== 0) return !PRIVATE_ADDRESSES.check(bare, familyOf(bare))
  return /^[^.].*\./.test(bare) && !PRIVATE_NAMES.test(bare)
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
