import { testPairs } from './scenes.ts'

testPairs(['cached', 'bound', 'registered', 'acting', 'header'])
