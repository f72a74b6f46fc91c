import t from 'tap'
import ts from 'typescript'
import { parse, sourceFiles } from '../support/imports.ts'

/** Methods of tap whose second argument can be a pattern. */
const MATCHERS = new Set(['match', 'notMatch', 'rejects', 'throws'])

/** Returns the empty lists and objects that a pattern can hold, not those of calls that make a part of the pattern. */
function emptiesIn(pattern: ts.Node): ts.Node[] {
  if (ts.isArrayLiteralExpression(pattern)) {
    return pattern.elements.length === 0 ? [pattern] : pattern.elements.flatMap(emptiesIn)
  }
  if (ts.isObjectLiteralExpression(pattern)) {
    return pattern.properties.length === 0 ? [pattern] : pattern.properties.flatMap(emptiesIn)
  }
  if (ts.isPropertyAssignment(pattern)) return emptiesIn(pattern.initializer)
  if (ts.isConditionalExpression(pattern)) return [pattern.whenTrue, pattern.whenFalse].flatMap(emptiesIn)
  if (ts.isBinaryExpression(pattern)) return [pattern.left, pattern.right].flatMap(emptiesIn)
  if (ts.isParenthesizedExpression(pattern) || ts.isAsExpression(pattern)) return emptiesIn(pattern.expression)
  return []
}

/** Returns the asserts of a test whose pattern holds an empty list or object, as `file:line`. */
function hollowAsserts(source: ts.SourceFile): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const pattern = node.arguments[1]
      const empties = pattern && MATCHERS.has(node.expression.name.text) ? emptiesIn(pattern) : []
      for (const empty of empties) {
        found.push(`${source.fileName}:${source.getLineAndCharacterOfPosition(empty.getStart()).line + 1}`)
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

t.test('a pattern of t.match holds no empty list or object, which would fit every list or object', async (t) => {
  t.strictSame(
    sourceFiles('test').flatMap((file) => hollowAsserts(parse(file))),
    [],
  )
})

t.test('an empty list or object is found anywhere in a pattern, and nowhere else', async (t) => {
  const lines = [
    't.match(x, [])',
    't.match(x, { a: [{ b: {} }], c: 1 })',
    "t.notMatch(x, isEmpty ? [] : ['a'], 'a message')",
    'await t.rejects(x, { errors: y ?? ([] as const) })',
    't.match([], { a: [1], b: f({}) })',
    't.strictSame(x, { a: [] })',
    '"text".match(x)',
  ]
  const source = ts.createSourceFile('sample.ts', lines.join('\n'), ts.ScriptTarget.ESNext, true)
  t.strictSame(hollowAsserts(source), ['sample.ts:1', 'sample.ts:2', 'sample.ts:3', 'sample.ts:4'])
})
