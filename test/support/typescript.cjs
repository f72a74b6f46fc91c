// Lets Node 20 run TypeScript, as later versions do without help. What tap brings for this compiles each file anew in
// each process, which takes most of the time of most tests.
'use strict'
const { register } = require('node:module')
const { pathToFileURL } = require('node:url')

// Tap then leaves the compiler to others.
process.env['TAP_TYPE_STRIP_ONLY'] = '1'
// A test may start a process in another folder, with the options of its own.
process.execArgv = process.execArgv.map((option) =>
  /^--require=\..*typescript\.cjs$/.test(option) ? `--require=${__filename}` : option,
)
if (!process.features.typescript) register('./typescript-hooks.mjs', pathToFileURL(__filename))
