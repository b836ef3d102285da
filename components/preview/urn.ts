import type { Operation } from "./previewTypes";

const operations: Readonly<Record<string, Operation>> = {
  same: "same",
  create: "create",
  import: "create",
  update: "update",
  delete: "delete",
  replace: "replace",
  "create-replacement": "replace",
  "delete-replaced": "replace",
  "import-replacement": "replace",
};

/** What an operation of the engine comes to; undefined for reading, refreshing and forgetting, which change nothing. */
export function operationOf(op: string): Operation | undefined {
  return Object.hasOwn(operations, op) ? operations[op] : undefined;
}

/** Type and logical name of a URN: `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`. Empty for another text. */
export function splitUrn(urn: string): { type: string; name: string } {
  const [, , types = "", ...name] = urn.split("::");
  return { type: types.split("$").at(-1) ?? "", name: name.join("::") };
}

/** Stack and project of a preview. */
export function stackOf(urns: string[]): { stack: string; project: string } {
  const [head = "", project = ""] = (urns[0] ?? "").split("::");
  return { stack: head.replace(/^urn:pulumi:/, ""), project };
}
