import { testPairs } from './scenes.ts'

testPairs(['devices'])
