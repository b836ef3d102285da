import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { root } from "./declarations";

/** What one entry of the package, or all of them, give to a program. */
interface Api {
  /** Names by entry, e.g. `zerosteal/plan`; sorted. */
  names: Map<string, string[]>;
  /** Declarations that an entry exports, by name. */
  exported: Map<string, string>;
  /** Declarations that those name, and no entry exports. */
  used: Map<string, string>;
}

/**
 * The page by which a review sees what changes for programs that use the package.
 * @param entries source file of each entry, by the name under which a program imports it. Default: those of package.json
 * @throws when an exported value has no type that is written down
 */
export function apiPage(entries: Record<string, string> = packageEntries()): string {
  const { names, exported, used } = readApi(entries);
  const lists = [...names].map(([entry, list]) => `- \`${entry}\`: ${list.map((name) => `\`${name}\``).join(", ")}`);
  const block = (declarations: Map<string, string>): string =>
    `\`\`\`ts\n${[...declarations]
      .sort(byName)
      .map(([, text]) => text)
      .join("\n\n")}\n\`\`\``;
  return [
    "# What the package exports",
    "Made from the code by `npm run docs`: a difference of this page is a change for programs that use the package. What is gone or asks for more is a breaking one.",
    lists.join("\n"),
    "## Exported",
    block(exported),
    "## Named by these, without a name of their own outside",
    block(used),
  ].join("\n\n");
}

function byName([one]: [string, string], [other]: [string, string]): number {
  return one < other ? -1 : 1;
}

function readApi(entries: Record<string, string>): Api {
  const declarations = new DeclarationFiles(Object.values(entries));
  const { checker, sources } = declarations.program();
  const api: Api = { names: new Map(), exported: new Map(), used: new Map() };
  const wanted: ts.Declaration[] = [];
  for (const [entry, file] of Object.entries(entries)) {
    const module = checker.getSymbolAtLocation(sources(file));
    const found = module ? checker.getExportsOfModule(module) : [];
    api.names.set(entry, found.map(({ name }) => name).sort());
    for (const symbol of found) {
      const found = declarationsOf(checker, symbol);
      api.exported.set(symbol.name, found.map((one) => declarations.print(one)).join("\n"));
      wanted.push(...found);
    }
  }
  const seen = new Set(wanted);
  for (const declaration of wanted) {
    for (const named of namedIn(checker, declaration)) {
      if (seen.has(named)) continue;
      seen.add(named);
      wanted.push(named);
      api.used.set(nameOf(named), declarations.print(named));
    }
  }
  return api;
}

/** Entries of the package by the name under which a program imports them, with their source files. */
function packageEntries(): Record<string, string> {
  const { exports } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    exports: Record<string, { types?: string } | string>;
  };
  const typed = Object.entries(exports).flatMap(([entry, target]) =>
    typeof target === "object" && target.types ? [[entry, target.types] as const] : [],
  );
  return Object.fromEntries(
    typed.map(([entry, types]) => [
      path.posix.join("zerosteal", entry),
      path.join(root, types.replace("./dist/", "").replace(/\.d\.ts$/, ".ts")),
    ]),
  );
}

function declarationsOf(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Declaration[] {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return target.declarations ?? [];
}

/** Declarations of the package that a declaration names. */
function namedIn(checker: ts.TypeChecker, declaration: ts.Declaration): ts.Declaration[] {
  const found: ts.Declaration[] = [];
  const visit = (node: ts.Node): void => {
    const name = typeNameOf(node);
    const symbol = name && checker.getSymbolAtLocation(name);
    if (symbol) found.push(...declarationsOf(checker, symbol).filter((one) => isStatement(one)));
    if (!isPrivate(node)) ts.forEachChild(node, visit);
  };
  visit(declaration);
  return found;
}

function typeNameOf(node: ts.Node): ts.Node | undefined {
  if (ts.isTypeReferenceNode(node)) return node.typeName;
  if (ts.isTypeQueryNode(node)) return node.exprName;
  return ts.isExpressionWithTypeArguments(node) ? node.expression : undefined;
}

function isStatement(node: ts.Declaration): boolean {
  return (
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isVariableDeclaration(node)
  );
}

function isPrivate(node: ts.Node): boolean {
  return (
    ts.isClassElement(node) &&
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
  );
}

function nameOf(declaration: ts.Declaration): string {
  return ts.getNameOfDeclaration(declaration)?.getText() ?? "";
}

/** Declarations of source files as the compiler emits them, each file by itself, and those of all files that they import. */
class DeclarationFiles {
  private readonly texts = new Map<string, string>();
  /** `file name` of what has no type that can be read off its own file. */
  private readonly inferred = new Set<string>();
  private readonly printer = ts.createPrinter({ removeComments: true });

  constructor(private readonly entries: string[]) {
    const queue = [...entries];
    for (const file of queue) {
      if (this.texts.has(file)) continue;
      const text = this.emit(file);
      this.texts.set(file, text);
      for (const { fileName } of ts.preProcessFile(text).importedFiles) {
        const next = fileName.startsWith(".") && sourceOf(path.resolve(path.dirname(file), fileName));
        if (next) queue.push(next);
      }
    }
  }

  /** A program of these files alone: what other packages declare stays a name. */
  program(): { checker: ts.TypeChecker; sources: (file: string) => ts.SourceFile } {
    const options: ts.CompilerOptions = { noLib: true, types: [], module: ts.ModuleKind.NodeNext };
    const host = ts.createCompilerHost(options);
    const parsed = new Map(
      [...this.texts].map(([file, text]) => [file, ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)]),
    );
    host.getSourceFile = (file) => parsed.get(file);
    host.fileExists = (file) => parsed.has(file);
    const program = ts.createProgram({ rootNames: this.entries, options, host });
    const sources = (file: string): ts.SourceFile => {
      const source = parsed.get(file);
      if (!source) throw new Error(`${path.relative(root, file)} is no source file`);
      return source;
    };
    return { checker: program.getTypeChecker(), sources };
  }

  /** A declaration as a program sees it, without comments. */
  print(declaration: ts.Declaration): string {
    const file = declaration.getSourceFile();
    if (this.inferred.has(`${file.fileName} ${nameOf(declaration)}`)) {
      throw new Error(`${path.relative(root, file.fileName)}: ${nameOf(declaration)} is exported: write down its type`);
    }
    const statement = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
    const shown = ts.isClassDeclaration(statement) ? withoutPrivate(statement) : statement;
    return this.printer.printNode(ts.EmitHint.Unspecified, shown, file).replace(/^export (declare )?/, "");
  }

  private emit(file: string): string {
    const text = readFileSync(file, "utf8");
    const { outputText, diagnostics = [] } = ts.transpileDeclaration(text, { fileName: file });
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    for (const { start = 0 } of diagnostics) {
      const statement = source.statements.find((one) => one.pos <= start && start < one.end);
      const names =
        statement && ts.isVariableStatement(statement) ? statement.declarationList.declarations : [statement];
      for (const one of names) if (one) this.inferred.add(`${file} ${nameOf(one as ts.Declaration)}`);
    }
    return outputText;
  }
}

function withoutPrivate(node: ts.ClassDeclaration): ts.ClassDeclaration {
  const members = node.members.filter((member) => !isPrivate(member));
  return ts.factory.updateClassDeclaration(
    node,
    node.modifiers,
    node.name,
    node.typeParameters,
    node.heritageClauses,
    members,
  );
}

function sourceOf(file: string): string | undefined {
  return [`${file}.ts`, path.join(file, "index.ts")].find((candidate) => existsSync(candidate));
}
