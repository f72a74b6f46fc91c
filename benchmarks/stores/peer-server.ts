import { answerParent } from '../server.ts'
import { STORE_PEERS } from './peers.ts'

const [name, url = ''] = process.argv.slice(2)
const peer = STORE_PEERS.find((one) => one.name === name)
if (peer === undefined) throw new Error(`no peer is named ${name}`)
answerParent()
process.send?.({ port: await peer.start(url) })
