import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import Ajv, { type ValidateFunction } from "ajv";
import { RE2JS } from "re2js";
import { parse } from "yaml";
import { defaultVersions } from "../../components";
import { defaultCacheDir } from "../../toolchain/cache";

/** Cilium's CustomResourceDefinition of the default version, if the cache has it. */
export function cachedPolicyCrd(): string | undefined {
  const sources = path.join(defaultCacheDir(), "sources", `cilium-${defaultVersions.cilium}`);
  const file = path.join(sources, "pkg/k8s/apis/cilium.io/client/crds/v2/ciliumnetworkpolicies.yaml");
  return existsSync(file) ? file : undefined;
}

/** A validator of CiliumNetworkPolicy objects, as strict as a server that refuses unknown fields. */
export function policyValidator(file: string): ValidateFunction {
  const crd = parse(readFileSync(file, "utf8")) as {
    spec: { versions: { name: string; schema: { openAPIV3Schema: object } }[] };
  };
  const schema = crd.spec.versions.find(({ name }) => name === "v2")?.schema.openAPIV3Schema;
  if (!schema) throw new Error(`${file} has no version v2`);
  // A server runs the schema's patterns by Go's engine, whose syntax is RE2's. ajv tells patterns apart by their text.
  const regExp = (pattern: string): { test: (text: string) => boolean; toString: () => string } => {
    const compiled = RE2JS.compile(pattern);
    return { test: (text) => compiled.test(text), toString: () => pattern };
  };
  regExp.code = "regExp";
  // Formats that Kubernetes does not know are no more than comments to it; the rules judge addresses themselves.
  return new Ajv({ strict: false, validateFormats: false, allErrors: true, code: { regExp } }).compile(
    closed(schema) as object,
  );
}

/** A schema under which an object has no field but those that it names; Kubernetes drops others in silence. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== "object") return schema;
  const parts = Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, closed(part)]));
  const named = "type" in parts && parts.type === "object" && "properties" in parts;
  // The server fills in and judges metadata by itself.
  const isOpen = named && Object.keys(parts.properties as object).length === 0;
  return named && !isOpen && !("additionalProperties" in parts) ? { ...parts, additionalProperties: false } : parts;
}
