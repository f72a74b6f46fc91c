import { examineModule } from './examine-module.ts'

// Forked, so there is a channel to whoever asks.
const examiner = process as NodeJS.Process & Required<Pick<NodeJS.Process, 'send'>>

examiner.send(await examineModule(process.argv[2] as string))
