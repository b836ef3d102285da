import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { root } from "./declarations";

/** Types that the façade has in a shape of its own, with the name they get there and the members they lose. */
const shaped: Record<string, { name: string; without: string[] }> = {
  ClusterArgs: { name: "ClusterSettings", without: ["underlay"] },
  HetznerUnderlayArgs: { name: "HetznerUnderlay", without: ["kind"] },
  HostsUnderlayArgs: { name: "HostsUnderlay", without: ["kind"] },
  DoctorArgs: { name: "DoctorSettings", without: [] },
};

const sources = ["components/plan/types.ts", "components/doctor/resource.ts"];

type Named = ts.InterfaceDeclaration | ts.TypeAliasDeclaration;

/**
 * The arguments of the façade's components: those of the library in the shapes that Pulumi's analyzer of components takes, which are
 * interfaces with names, enums, lists and maps. What is neither, such as a union of types, is `any` there, and judged by the library.
 */
export function facadeArguments(): string {
  const generator = new Generator(readNamed(sources.map((file) => path.join(root, file))));
  for (const name of Object.keys(shaped)) generator.want(name);
  return ["/* Made by `npm run docs` from the library's arguments. Change it there. */", ...generator.all()].join(
    "\n\n",
  );
}

/** Interfaces and type aliases of files and of those that they take types from, by name. */
function readNamed(files: string[]): Map<string, Named> {
  const found = new Map<string, Named>();
  const queue = [...files];
  for (const file of queue) {
    const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
    for (const statement of source.statements) {
      if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
        found.set(statement.name.text, statement);
      }
      const from =
        (ts.isExportDeclaration(statement) || ts.isImportDeclaration(statement)) && statement.moduleSpecifier;
      const next = from && path.resolve(path.dirname(file), `${(from as ts.StringLiteral).text}.ts`);
      if (next && existsSync(next) && !queue.includes(next)) queue.push(next);
    }
  }
  return found;
}

class Generator {
  private readonly made = new Map<string, string>();

  constructor(private readonly named: Map<string, Named>) {}

  all(): string[] {
    return [...this.made.values()];
  }

  /** Makes a type of the library, and those that it names, if it is not made. */
  want(name: string): string {
    const node = this.named.get(name);
    if (!node) throw new Error(`The façade asks for ${name}, which the library's arguments do not have.`);
    if (ts.isTypeAliasDeclaration(node)) return this.type(node.type, name, docOf(node));
    const { name: own, without } = shaped[name] ?? { name, without: [] };
    return this.shape(own, docOf(node), node.members, without);
  }

  private shape(name: string, doc: string, members: ts.NodeArray<ts.TypeElement>, without: string[]): string {
    if (this.made.has(name)) return name;
    // Its place is before what it names, and a type may name itself.
    this.made.set(name, "");
    const lines = members.filter(ts.isPropertySignature).flatMap((member) => {
      const property = member.name.getText();
      if (without.includes(property) || !member.type) return [];
      const place = name.replace(/(Args|Settings)$/, "") + capital(property);
      const type = this.type(member.type, place, docOf(member));
      return [`${docOf(member)}  ${property}${member.questionToken ? "?" : ""}: ${type};`];
    });
    this.made.set(name, `${doc}export interface ${name} {\n${lines.join("\n")}\n}`);
    return name;
  }

  /** @param place name of a type that has none of its own */
  private type(node: ts.TypeNode, place: string, doc: string): string {
    if (ts.isArrayTypeNode(node)) return `${this.type(node.elementType, place, doc)}[]`;
    if (ts.isTypeLiteralNode(node)) return this.shape(`${place}Args`, doc, node.members, []);
    if (ts.isUnionTypeNode(node)) return this.choice(node, place, doc);
    if (ts.isTypeReferenceNode(node)) return this.reference(node, place, doc);
    const simple = [ts.SyntaxKind.StringKeyword, ts.SyntaxKind.NumberKeyword, ts.SyntaxKind.BooleanKeyword];
    return simple.includes(node.kind) ? node.getText() : "any";
  }

  private reference(node: ts.TypeReferenceNode, place: string, doc: string): string {
    const name = node.typeName.getText();
    const value = node.typeArguments?.at(-1);
    if (name === "Record" && value) return `{ [key: string]: ${this.type(value, place, doc)} }`;
    return this.named.has(name) ? this.want(name) : "any";
  }

  /** A choice of texts is an enum, in the only spelling whose values are those texts for the compiler too. */
  private choice(node: ts.UnionTypeNode, name: string, doc: string): string {
    const values = node.types.map((type) =>
      ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal) ? type.literal.text : undefined,
    );
    if (values.includes(undefined)) return "any";
    const members = values.map((value) => `  ${capital(value ?? "")}: ${JSON.stringify(value)},`);
    const text = `${doc}export const ${name} = {\n${members.join("\n")}\n} as const;\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];`;
    this.made.set(name, text);
    return name;
  }
}

/** `node-and-pod` and `nodeSubnet` as parts of a name: `NodeAndPod`, `NodeSubnet`. */
function capital(text: string): string {
  return text.replace(/(?:^|[^a-zA-Z0-9]+)([a-zA-Z0-9])/g, (_, first: string) => first.toUpperCase());
}

/** Documentation as it stands in the source, with a line end; empty if there is none. */
function docOf(node: ts.Node): string {
  const doc = ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc);
  return doc ? `${doc.getText()}\n` : "";
}
