import { Module } from 'node:module'
import { pathToFileURL } from 'node:url'
import { bootExports } from './boot-exports.ts'
import { watchApp } from './watch-app.ts'
import { redirectConnections } from './offline.ts'

// Runs in a process of its own, forked by `examine`: argv is node, this file, the module, and `offline` or nothing.
const [node, , file = '', mode] = process.argv
process.argv = [node as string, file]

if (mode === 'offline') await redirectConnections()
const watch = watchApp()

// Starts the module as `node file` does, so that `require.main === module` holds and errors are printed as usual.
Module.runMain()
const exported = await import(pathToFileURL(file).href).catch(() => undefined)
if (exported !== undefined) await bootExports(exported as Record<string, unknown>, file, watch)
