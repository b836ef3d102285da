import path from "node:path";

/**
 * Shell command that runs the doctor with one JSON document on stdin (see main.ts): `node -r ts-node/register …/main.ts`
 * in the repository, `node …/main.js` in the package. The path is relative, so that the same program gives the same
 * command on every machine; it holds for commands that start in `directory`.
 * @param directory default: the current directory
 */
export function doctorCommand(directory: string = process.cwd()): string {
  const source = path.extname(__filename) === ".ts";
  const entry = path.relative(directory, path.join(__dirname, source ? "main.ts" : "main.js"));
  return `node ${source ? "-r ts-node/register " : ""}${quote(entry)}`;
}

function quote(text: string): string {
  return /^[\w./@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
