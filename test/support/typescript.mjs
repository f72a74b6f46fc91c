// Lets Node 20 run TypeScript, as later versions do without help. What tap brings for this compiles each file anew in
// each process, which takes most of the time of most tests.
import { register } from 'node:module'

// Tap then leaves the compiler to others.
process.env['TAP_TYPE_STRIP_ONLY'] = '1'
if (!process.features.typescript) register('./typescript-hooks.mjs', import.meta.url)
