import { testPairs } from './scenes.ts'

testPairs(['guest'])
