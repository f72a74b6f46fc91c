import { testPairs } from './scenes.ts'

testPairs(['devices', 'cached', 'bound', 'registered', 'acting'])
