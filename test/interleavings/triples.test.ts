import { testTriples } from './scenes.ts'

testTriples(['shared', 'guest', 'devices', 'cached', 'bound', 'registered', 'acting'])
