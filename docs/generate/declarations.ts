import { readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

/** Folder of the repository. */
export const root = path.resolve(__dirname, "..", "..");

/** A documented member of a type. */
export interface Member {
  /** Path within its type, e.g. `network.podCidr`. */
  path: string;
  type: string;
  optional: boolean;
  doc: string;
}

/** An exported interface, type alias or class with its public properties. */
export interface Declaration {
  name: string;
  doc: string;
  /** Types whose members it has too. */
  extends: string[];
  members: Member[];
  /** Text of a type alias, e.g. a union of texts. */
  alias?: string;
  /** Types that it names, in order. */
  mentions: string[];
}

/** Reads the exported declarations of source files by name. Syntax alone: nothing is type-checked. */
export function readDeclarations(files: string[]): Map<string, Declaration> {
  const found = new Map<string, Declaration>();
  for (const file of files) {
    const text = readFileSync(path.join(root, file), "utf8");
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    for (const statement of source.statements) {
      const declaration = declarationOf(statement);
      if (declaration) found.set(declaration.name, declaration);
    }
  }
  return found;
}

function declarationOf(node: ts.Statement): Declaration | undefined {
  if (ts.isInterfaceDeclaration(node)) {
    const parents = node.heritageClauses?.flatMap((clause) => clause.types.map((type) => type.getText())) ?? [];
    return declaration(node, node.name.text, parents, members(node.members, ""));
  }
  if (ts.isTypeAliasDeclaration(node)) {
    return { ...declaration(node, node.name.text, [], []), alias: oneLine(node.type.getText()) };
  }
  if (ts.isClassDeclaration(node) && node.name) {
    return declaration(
      node,
      node.name.text,
      [],
      node.members
        .filter(ts.isPropertyDeclaration)
        .filter(isPublic)
        .flatMap((member) => memberOf(member, "")),
    );
  }
  return undefined;
}

function declaration(node: ts.Node, name: string, parents: string[], own: Member[]): Declaration {
  return { name, doc: docOf(node), extends: parents, members: own, mentions: mentions(node) };
}

function members(nodes: ts.NodeArray<ts.TypeElement>, prefix: string): Member[] {
  return nodes.filter(ts.isPropertySignature).flatMap((node) => memberOf(node, prefix));
}

/** A member, and those of the object type that stands in its place. */
function memberOf(node: ts.PropertySignature | ts.PropertyDeclaration, prefix: string): Member[] {
  const memberPath = `${prefix}${node.name.getText()}`;
  const literal = node.type && literalIn(node.type);
  const own = {
    path: memberPath,
    type: literal ? "object" : oneLine(node.type?.getText() ?? "unknown"),
    optional: node.questionToken !== undefined,
    doc: docOf(node),
  };
  return [own, ...(literal ? members(literal.members, `${memberPath}.`) : [])];
}

function literalIn(type: ts.TypeNode): ts.TypeLiteralNode | undefined {
  if (ts.isTypeLiteralNode(type)) return type;
  return ts.isIntersectionTypeNode(type) ? type.types.find(ts.isTypeLiteralNode) : undefined;
}

function isPublic(node: ts.PropertyDeclaration): boolean {
  return node.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.PublicKeyword) ?? false;
}

/** Documentation of a node without its tags, on one line a paragraph. */
function docOf(node: ts.Node): string {
  const texts = ts
    .getJSDocCommentsAndTags(node)
    .filter(ts.isJSDoc)
    .map((comment) => ts.getTextOfJSDocComment(comment.comment) ?? "");
  return texts
    .join("\n\n")
    .split(/\n\s*\n/)
    .map(oneLine)
    .filter(Boolean)
    .join("\n\n");
}

/** Types that a declaration names; of a class its public properties alone. */
function mentions(node: ts.Node): string[] {
  const parts = ts.isClassDeclaration(node) ? node.members.filter(ts.isPropertyDeclaration).filter(isPublic) : [node];
  const names: string[] = [];
  const visit = (child: ts.Node): void => {
    if (ts.isTypeReferenceNode(child) || ts.isExpressionWithTypeArguments(child)) {
      names.push(child.getText().replace(/<[^]*/, ""));
    }
    ts.forEachChild(child, visit);
  };
  for (const part of parts) visit(part);
  return names;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
