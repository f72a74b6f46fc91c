import { testTriples } from './scenes.ts'

testTriples(['shared', 'cached', 'acting'])
