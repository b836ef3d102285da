import { joinHostPort } from "../core/goText";

interface InvalidField {
  name: string;
  messages?: string[];
}

/** The fields of an invalid_input error, in the form in which the provider prints them after the message. */
export function invalidInputText(code: string, details: unknown): string {
  if (code !== "invalid_input") return "";
  const fields = (details as { fields?: InvalidField[] } | null)?.fields ?? [];
  return `: [${fields.map((field) => `${field.name} => [${(field.messages ?? []).join(" ")}]`).join(" ")}]`;
}

/** A request that got no answer, in the words of the provider's HTTP client. */
export function requestFailure(method: string, url: string, error: Error): string {
  const cause = (error.cause ?? error) as NodeJS.ErrnoException & { address?: string; port?: number };
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  if (cause.code === "ECONNREFUSED" && cause.address !== undefined) {
    const target = joinHostPort(cause.address, cause.port ?? 0);
    return `${verb} "${url}": dial tcp ${target}: connect: connection refused`;
  }
  return `${verb} "${url}": ${cause.message}`;
}

/** The frame that the bridge puts around a failed operation. */
export function operationFailure(doing: "creating" | "updating" | "deleting", urn: string, message: string): string {
  return `1 error occurred:\n\t* ${doing} ${urn}: 1 error occurred:\n\t* ${message}\n\n`;
}
