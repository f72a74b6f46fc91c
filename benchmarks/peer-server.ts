import { BEFORE, PEERS } from './peers/list.ts'
import { answerParent } from './server.ts'

const peer = [...PEERS, BEFORE].find(({ name }) => name === process.argv[2])
if (peer === undefined) throw new Error(`no peer is named ${process.argv[2]}`)
answerParent()
process.send?.({ port: await peer.start() })
