import { testPairs } from './scenes.ts'

testPairs(['shared'])
