import { stringify } from "yaml";

/**
 * Renders YAML documents for machines: sorted keys, every text quoted (a bare `y` or `1.10` would be read as something else by
 * YAML 1.1 readers), LF, one trailing newline, `---` between documents.
 */
export function toYaml(...documents: unknown[]): string {
  return documents
    .map((document) =>
      stringify(document, {
        version: "1.1",
        sortMapEntries: true,
        lineWidth: 0,
        defaultStringType: "QUOTE_DOUBLE",
        defaultKeyType: "PLAIN",
        aliasDuplicateObjects: false,
      }),
    )
    .join("---\n");
}
