import { testPairs } from './pairs.ts'

testPairs(['guest'])
