import { readFileSync } from 'node:fs'
import t from 'tap'
import ts from 'typescript'
import { FAULTS, withFault } from './fault-list.ts'

const root = new URL('../../', import.meta.url)

function compile(code: string, fileName: string): ts.TranspileOutput {
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  return ts.transpileModule(code, { compilerOptions, fileName, reportDiagnostics: true })
}

t.test('each fault of the search changes the compiled engine, and leaves it a program', async (t) => {
  for (const fault of FAULTS) {
    const source = readFileSync(new URL(fault.file.replace(/\.js$/, '.ts'), root), 'utf8')
    const faulty = withFault(compile(source, 'engine.ts').outputText, fault)
    t.type(faulty, 'string', fault.name)
    t.strictSame(compile(faulty ?? '', 'engine.js').diagnostics, [], fault.name)
  }
})
