import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

/** A source file of rules with one thing changed. */
export interface Mutant {
  file: string;
  line: number;
  /** Id of the rule that the change is in; the name of the function where several rules share it. */
  of: string;
  /** What was changed, e.g. `a < b` to `a <= b`. */
  what: string;
  source: string;
}

const swapped: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.LessThanToken, "<="],
  [ts.SyntaxKind.LessThanEqualsToken, "<"],
  [ts.SyntaxKind.GreaterThanToken, ">="],
  [ts.SyntaxKind.GreaterThanEqualsToken, ">"],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, "!=="],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, "==="],
  [ts.SyntaxKind.AmpersandAmpersandToken, "||"],
  [ts.SyntaxKind.BarBarToken, "&&"],
]);

/** Every mutant of the rules in a folder: comparisons and connectives swapped, negations dropped, limits moved by one. */
export function mutantsIn(folder: string): Mutant[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".ts") && file !== "index.ts" && file !== "rule.ts")
    .sort()
    .flatMap((file) => mutantsOf(path.join(folder, file)));
}

function mutantsOf(file: string): Mutant[] {
  const text = readFileSync(file, "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const mutants: Mutant[] = [];
  const visit = (node: ts.Node): void => {
    const change = changeOf(node);
    const of = ownerOf(node);
    if (change !== undefined && of !== undefined) {
      const [start, end] = [node.getStart(source), node.getEnd()];
      mutants.push({
        file,
        line: source.getLineAndCharacterOfPosition(start).line + 1,
        of,
        what: `${oneLine(node.getText(source))} → ${oneLine(change)}`,
        source: text.slice(0, start) + change + text.slice(end),
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return mutants;
}

/** The text that takes a node's place; undefined where nothing is changed. */
function changeOf(node: ts.Node): string | undefined {
  if (ts.isBinaryExpression(node)) {
    const operator = swapped.get(node.operatorToken.kind);
    return operator && `(${node.left.getText()} ${operator} ${node.right.getText()})`;
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
    return `(${node.operand.getText()})`;
  return ts.isNumericLiteral(node) ? String(Number(node.text.replace(/_/g, "")) + 1) : undefined;
}

/** The rule that a node belongs to, or the function or constant at the top of the file; undefined for types and imports. */
function ownerOf(node: ts.Node): string | undefined {
  for (let at: ts.Node | undefined = node; at; at = at.parent as ts.Node | undefined) {
    const id = idOf(at);
    if (id !== undefined) return id;
    if (ts.isTypeNode(at) || ts.isInterfaceDeclaration(at)) return undefined;
    if (ts.isFunctionDeclaration(at)) return at.name?.text;
    if (ts.isVariableDeclaration(at) && ts.isSourceFile(at.parent.parent.parent)) return at.name.getText();
  }
  return undefined;
}

/** The id that an object of a rule has, or a call that makes one. */
function idOf(node: ts.Node): string | undefined {
  if (ts.isObjectLiteralExpression(node)) {
    const id = node.properties.find((property) => property.name?.getText() === "id");
    return id && ts.isPropertyAssignment(id) && ts.isStringLiteral(id.initializer) ? id.initializer.text : undefined;
  }
  if (!ts.isCallExpression(node) || !node.expression.getText().endsWith("Rule")) return undefined;
  const [first] = node.arguments;
  return first && ts.isStringLiteral(first) ? first.text : undefined;
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 90 ? `${line.slice(0, 87)}…` : line;
}
