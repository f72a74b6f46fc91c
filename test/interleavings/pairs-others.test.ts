import { testPairs } from './pairs.ts'

testPairs(['bound', 'registered', 'acting'])
