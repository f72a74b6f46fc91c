import { examineModule } from './examine-module.ts'

process.send?.(await examineModule(process.argv[2] as string))
