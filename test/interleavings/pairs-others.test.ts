import { testPairs } from './pairs.ts'

testPairs(['devices', 'cached', 'bound', 'registered', 'acting'])
