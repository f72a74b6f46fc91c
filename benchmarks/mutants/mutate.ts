import ts from 'typescript'

/** One small change of the code. */
export interface Mutant {
  readonly id: number
  /** The file, from the root of the project. */
  readonly file: string
  readonly line: number
  /** The function or class around the change. */
  readonly around: string
  readonly before: string
  readonly after: string
}

/** A change that the rules propose for a node. */
type Change = ts.Expression

const { factory: make, SyntaxKind: Kind } = ts

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
}

const printer = ts.createPrinter({ removeComments: true })

/** The operators that each one becomes. Of two, the second one is the opposite. */
const SWAPS = new Map<ts.SyntaxKind, ts.BinaryOperator[]>([
  [Kind.LessThanToken, [Kind.LessThanEqualsToken, Kind.GreaterThanEqualsToken]],
  [Kind.LessThanEqualsToken, [Kind.LessThanToken, Kind.GreaterThanToken]],
  [Kind.GreaterThanToken, [Kind.GreaterThanEqualsToken, Kind.LessThanEqualsToken]],
  [Kind.GreaterThanEqualsToken, [Kind.GreaterThanToken, Kind.LessThanToken]],
  [Kind.EqualsEqualsEqualsToken, [Kind.ExclamationEqualsEqualsToken]],
  [Kind.ExclamationEqualsEqualsToken, [Kind.EqualsEqualsEqualsToken]],
  [Kind.PlusToken, [Kind.MinusToken]],
  [Kind.MinusToken, [Kind.PlusToken]],
  [Kind.AsteriskToken, [Kind.SlashToken]],
  [Kind.SlashToken, [Kind.AsteriskToken]],
  [Kind.PercentToken, [Kind.AsteriskToken]],
  [Kind.AmpersandAmpersandToken, [Kind.BarBarToken]],
  [Kind.BarBarToken, [Kind.AmpersandAmpersandToken]],
  [Kind.QuestionQuestionToken, [Kind.AmpersandAmpersandToken]],
  [Kind.PlusEqualsToken, [Kind.MinusEqualsToken]],
  [Kind.MinusEqualsToken, [Kind.PlusEqualsToken]],
])

const OTHER_METHODS = new Map([
  ['some', 'every'],
  ['every', 'some'],
  ['min', 'max'],
  ['max', 'min'],
])

/** Methods whose call may be left out, so that its object stands in its place. */
const LEFT_OUT = new Set(['filter', 'slice', 'sort', 'trim', 'toLowerCase', 'toSorted', 'reverse'])

/** Compiles one file without mutants. */
export function compile(source: string, path: string): string {
  return ts.transpileModule(source, { compilerOptions: OPTIONS, fileName: path }).outputText
}

/**
 * Returns the code of a file with all its mutants behind switches, and the list of the mutants. The first mutant has
 * the number `first`. `switches` is the specifier of the module that has `isMutant`.
 */
export function mutate(source: string, file: string, first: number, switches: string): { code: string; all: Mutant[] } {
  const all: Mutant[] = []
  const transformer: ts.TransformerFactory<ts.SourceFile> = (context) => (root) => {
    const places = new Places(root, file, first, all)
    const body = ts.visitNode(root, function visit(node: ts.Node): ts.Node {
      if (isLeftAlone(node)) return node
      return places.replace(node, ts.visitEachChild(node, visit, context))
    }) as ts.SourceFile
    return make.updateSourceFile(body, [importOf(switches), ...body.statements])
  }
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: OPTIONS,
    fileName: file,
    transformers: { before: [transformer] },
  })
  return { code: outputText, all }
}

function importOf(switches: string): ts.ImportDeclaration {
  const specifier = make.createImportSpecifier(false, undefined, make.createIdentifier('isMutant'))
  const clause = make.createImportClause(undefined, undefined, make.createNamedImports([specifier]))
  return make.createImportDeclaration(undefined, clause, make.createStringLiteral(switches))
}

/** Declarations without behaviour. */
function isLeftAlone(node: ts.Node): boolean {
  return (
    ts.isTypeNode(node) ||
    ts.isImportDeclaration(node) ||
    ts.isExportDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node)
  )
}

/** The places of one file that have mutants. */
class Places {
  readonly #root: ts.SourceFile
  readonly #file: string
  readonly #first: number
  readonly #all: Mutant[]

  constructor(root: ts.SourceFile, file: string, first: number, all: Mutant[]) {
    this.#root = root
    this.#file = file
    this.#first = first
    this.#all = all
  }

  /** Returns the node with its mutants behind switches. `visited` is the node with the switches of its children. */
  replace(node: ts.Node, visited: ts.Node): ts.Node {
    if (ts.isStatement(node) || ts.isBlock(node)) return this.#statement(node, visited as ts.Statement)
    if (!ts.isExpression(node) || !mayBeWrapped(node)) return visited
    let result = visited as ts.Expression
    for (const change of changesOf(node)) {
      result = make.createConditionalExpression(
        this.#isOn(node, printer.printNode(ts.EmitHint.Unspecified, change, this.#root)),
        undefined,
        change,
        undefined,
        result,
      )
    }
    return result === visited ? visited : make.createParenthesizedExpression(result)
  }

  #statement(node: ts.Statement, visited: ts.Statement): ts.Node {
    if (isRemovable(node)) {
      const rest = this.#withoutAwait(node, visited)
      return make.createIfStatement(this.#isOn(node, '(removed)'), make.createEmptyStatement(), rest)
    }
    if (ts.isBlock(node) && isBody(node) && node.statements.length > 1) {
      const { statements } = visited as ts.Block
      const whole = make.createIfStatement(
        make.createLogicalNot(this.#isOn(node, '{}')),
        make.createBlock(statements, true),
      )
      return make.updateBlock(visited as ts.Block, [whole])
    }
    return visited
  }

  /**
   * Adds the statement without its `await`, because what comes next runs earlier when the statement waits for nothing.
   */
  #withoutAwait(node: ts.Statement, visited: ts.Statement): ts.Statement {
    if (!ts.isExpressionStatement(node) || !ts.isAwaitExpression(node.expression)) return visited
    const change = make.createExpressionStatement(node.expression.expression)
    const after = printer.printNode(ts.EmitHint.Unspecified, change, this.#root)
    return make.createIfStatement(this.#isOn(node, after), change, visited)
  }

  #isOn(node: ts.Node, after: string): ts.Expression {
    const id = this.#first + this.#all.length
    const { line } = this.#root.getLineAndCharacterOfPosition(node.getStart(this.#root))
    const before = short(node.getText(this.#root))
    this.#all.push({ id, file: this.#file, line: line + 1, around: around(node), before, after: short(after) })
    return make.createCallExpression(make.createIdentifier('isMutant'), undefined, [make.createNumericLiteral(id)])
  }
}

function short(text: string): string {
  const flat = text.replaceAll(/\s+/g, ' ')
  return flat.length > 160 ? `${flat.slice(0, 120)} … ${flat.slice(-30)}` : flat
}

function around(node: ts.Node): string {
  const names: string[] = []
  for (let next = node.parent; next !== undefined; next = next.parent) {
    if (isNamed(next) && next.name !== undefined) names.unshift(next.name.getText())
    if (ts.isConstructorDeclaration(next)) names.unshift('constructor')
  }
  return names.join('.')
}

type Named = ts.FunctionDeclaration | ts.MethodDeclaration | ts.ClassDeclaration | ts.AccessorDeclaration

function isNamed(node: ts.Node): node is Named {
  return (
    ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isClassDeclaration(node) || ts.isAccessor(node)
  )
}

/** Tells whether an expression stands for its value, and so may become a conditional expression. */
function mayBeWrapped(node: ts.Expression): boolean {
  const { parent } = node
  if (parent === undefined || ts.isTypeNode(parent) || ts.isExpressionStatement(parent)) return false
  if (isPropertyName(node, parent)) return false
  if (ts.isBinaryExpression(parent) && parent.left === node) {
    return parent.operatorToken.kind < Kind.FirstAssignment || parent.operatorToken.kind > Kind.LastAssignment
  }
  if (ts.isPrefixUnaryExpression(parent)) {
    return parent.operator !== Kind.PlusPlusToken && parent.operator !== Kind.MinusMinusToken
  }
  if (ts.isPostfixUnaryExpression(parent) || ts.isDeleteExpression(parent)) return false
  if (ts.isTaggedTemplateExpression(parent) || (ts.isTemplateSpan(parent) && ts.isTemplateLiteral(node))) {
    return !ts.isTaggedTemplateExpression(parent)
  }
  if (ts.isNonNullExpression(parent)) return false
  return !isInsideChain(node, parent)
}

function isPropertyName(node: ts.Node, parent: ts.Node): boolean {
  if (ts.isBindingElement(parent)) return parent.name === node || parent.propertyName === node
  const isMember = ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent) || ts.isMethodDeclaration(parent)
  return isMember && parent.name === node
}

/**
 * Tells whether wrapping would break a call or a chain. A callee keeps its `this`; a link of an optional chain ends the
 * chain.
 */
function isInsideChain(node: ts.Expression, parent: ts.Node): boolean {
  if (ts.isCallExpression(parent) || ts.isNewExpression(parent)) {
    return (
      parent.expression === node &&
      (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node) || ts.isOptionalChain(parent))
    )
  }
  const isPartOf = ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent)
  return (
    isPartOf &&
    parent.expression === node &&
    ts.isOptionalChain(parent) &&
    !ts.isParenthesizedExpression(node) &&
    ts.isOptionalChain(node)
  )
}

function isRemovable(node: ts.Statement): boolean {
  if (ts.isThrowStatement(node)) return true
  if (ts.isReturnStatement(node)) return node.expression === undefined
  if (!ts.isExpressionStatement(node)) return false
  const { expression } = node
  return (
    !ts.isStringLiteral(expression) &&
    !(ts.isCallExpression(expression) && expression.expression.kind === Kind.SuperKeyword)
  )
}

function isBody({ parent, statements }: ts.Block): boolean {
  const callsSuper = statements.some((statement) => statement.getText().startsWith('super('))
  return ts.isFunctionLike(parent) && !callsSuper
}

function changesOf(node: ts.Expression): Change[] {
  return [...byKind(node), ...byPlace(node), ...chainChanges(node)]
}

function byKind(node: ts.Expression): Change[] {
  if (ts.isBinaryExpression(node)) return binaryChanges(node)
  if (ts.isPrefixUnaryExpression(node)) return isMinus(node) || isNegation(node) ? [node.operand] : []
  if (node.kind === Kind.TrueKeyword) return [make.createFalse()]
  if (node.kind === Kind.FalseKeyword) return [make.createTrue()]
  if (ts.isNumericLiteral(node)) return numberChanges(Number(node.text.replaceAll('_', '')))
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
    return [make.createStringLiteral(node.text === '' ? 'mutant' : '')]
  }
  if (ts.isTemplateExpression(node)) return [make.createStringLiteral('')]
  if (ts.isObjectLiteralExpression(node)) {
    return node.properties.length === 0 ? [] : [make.createObjectLiteralExpression()]
  }
  if (ts.isArrayLiteralExpression(node)) return node.elements.length === 0 ? [] : [make.createArrayLiteralExpression()]
  return ts.isCallExpression(node) ? callChanges(node) : []
}

function isMinus({ operator }: ts.PrefixUnaryExpression): boolean {
  return operator === Kind.MinusToken
}

/**
 * Tells whether a negation is no condition. A condition gets `true` and `false`, so its negation would say nothing
 * more.
 */
function isNegation(node: ts.PrefixUnaryExpression): boolean {
  return node.operator === Kind.ExclamationToken && !isCondition(node)
}

function binaryChanges(node: ts.BinaryExpression): Change[] {
  const { left, operatorToken, right } = node
  const { kind } = operatorToken
  const isText = [left, right].some((side) => ts.isStringLiteralLike(side) || ts.isTemplateExpression(side))
  if (kind === Kind.PlusToken && isText) return []
  const isEquality = kind === Kind.EqualsEqualsEqualsToken || kind === Kind.ExclamationEqualsEqualsToken
  if (isEquality && isCondition(node)) return []
  // A condition gets `true` and `false`, so its opposite would say nothing more.
  return (SWAPS.get(kind) ?? [])
    .slice(0, isCondition(node) ? 1 : 2)
    .map((other) => make.createBinaryExpression(inner(left), other, inner(right)))
}

/** `??` may not stand beside `&&` without parentheses. */
function inner(node: ts.Expression): ts.Expression {
  return ts.isBinaryExpression(node) ? make.createParenthesizedExpression(node) : node
}

/**
 * Returns the changes of a number. One millisecond more makes no difference to a long time, so large numbers are
 * doubled and halved.
 */
function numberChanges(number: number): Change[] {
  if (number === 0) return [make.createNumericLiteral(1)]
  if (!Number.isInteger(number)) return [make.createNumericLiteral(number * 2), make.createNumericLiteral(number / 2)]
  const others = number < 1000 ? [number + 1, number - 1] : [number * 2, Math.floor(number / 2)]
  return others.map((other) => make.createNumericLiteral(other))
}

function callChanges(node: ts.CallExpression): Change[] {
  const { expression } = node
  if (!ts.isPropertyAccessExpression(expression) || expression.questionDotToken !== undefined) return []
  const name = expression.name.text
  if (LEFT_OUT.has(name)) return [expression.expression]
  const other = OTHER_METHODS.get(name)
  if (other === undefined) return []
  const callee = make.createPropertyAccessExpression(expression.expression, other)
  return [make.createCallExpression(callee, undefined, node.arguments)]
}

function isCondition(node: ts.Expression): boolean {
  const { parent } = node
  if (ts.isIfStatement(parent) || ts.isWhileStatement(parent)) return parent.expression === node
  return ts.isConditionalExpression(parent) && parent.condition === node
}

/** Changes of what stands in a condition, is returned or is awaited. */
function byPlace(node: ts.Expression): Change[] {
  const { parent } = node
  if (isCondition(node)) {
    const isTrue = node.kind === Kind.TrueKeyword
    return ts.isWhileStatement(parent) || isTrue ? [make.createFalse()] : [make.createTrue(), make.createFalse()]
  }
  const isReturned = ts.isReturnStatement(parent) || (ts.isArrowFunction(parent) && parent.body === node)
  if (!isReturned || ts.isLiteralExpression(node) || isUndefined(node)) return []
  if (node.kind === Kind.TrueKeyword || node.kind === Kind.FalseKeyword || node.kind === Kind.ThisKeyword) return []
  return [make.createVoidZero()]
}

function isUndefined(node: ts.Expression): boolean {
  return ts.isVoidExpression(node) || (ts.isIdentifier(node) && node.text === 'undefined')
}

/** Returns a copy of the chain without one `?.` for each `?.` that it has. */
function chainChanges(node: ts.Expression): Change[] {
  const links: ts.Expression[] = []
  for (let next: ts.Expression = node; isLink(next); next = next.expression) {
    if (next.questionDotToken !== undefined) links.push(next)
  }
  return links.map((link) => withoutQuestion(node, link))
}

function isLink(
  node: ts.Expression,
): node is ts.PropertyAccessExpression | ts.ElementAccessExpression | ts.CallExpression {
  return ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node) || ts.isCallExpression(node)
}

function withoutQuestion(node: ts.Expression, link: ts.Expression): ts.Expression {
  if (!isLink(node)) return node
  const target = withoutQuestion(node.expression, link)
  const question = node === link ? undefined : node.questionDotToken
  const isChain = question !== undefined || ts.isOptionalChain(target)
  if (ts.isPropertyAccessExpression(node)) {
    return isChain
      ? make.createPropertyAccessChain(target, question, node.name)
      : make.createPropertyAccessExpression(target, node.name)
  }
  if (ts.isElementAccessExpression(node)) {
    return isChain
      ? make.createElementAccessChain(target, question, node.argumentExpression)
      : make.createElementAccessExpression(target, node.argumentExpression)
  }
  return isChain
    ? make.createCallChain(target, question, undefined, node.arguments)
    : make.createCallExpression(target, undefined, node.arguments)
}
