import { testPairs } from './pairs.ts'

testPairs(['shared'])
