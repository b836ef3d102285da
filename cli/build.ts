/* `npm run build`: the package's JavaScript and types in dist/, with what is read beside them at run time. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { readScript } from "../components/plan/nodeFiles";

const root = path.join(__dirname, "..");
const out = path.join(root, "dist");

/** Runs the compiler on the package's sources. Ends the process when it finds something wrong. */
function compile(...flags: string[]): void {
  const tsc = [require.resolve("typescript/bin/tsc"), "-p", path.join(root, "tsconfig.build.json"), ...flags];
  try {
    execFileSync(process.execPath, tsc, { stdio: "inherit" });
  } catch {
    console.error("The build failed; tsc says above where.");
    process.exit(1);
  }
}

/** Takes away types that no entry leads to: a fifth of the package's files, and nobody could import them. */
function dropUnreachableTypes(entries: string[]): void {
  const reached = entries.map((entry) => path.join(out, entry));
  for (const file of reached) {
    for (const { fileName } of ts.preProcessFile(readFileSync(file, "utf8")).importedFiles) {
      const target = path.resolve(path.dirname(file), fileName);
      const next = [`${target}.d.ts`, path.join(target, "index.d.ts")].find((candidate) => existsSync(candidate));
      if (next && !reached.includes(next)) reached.push(next);
    }
  }
  for (const file of readdirSync(out, { recursive: true, encoding: "utf8" })) {
    const whole = path.join(out, file);
    if (file.endsWith(".d.ts") && !reached.includes(whole)) rmSync(whole);
  }
}

/** Takes the source maps of a folder away, and the files' word of them. */
function dropSourceMaps(folder: string): void {
  for (const file of readdirSync(path.join(out, folder), { recursive: true, encoding: "utf8" })) {
    const whole = path.join(out, folder, file);
    if (file.endsWith(".map")) rmSync(whole);
    if (file.endsWith(".js"))
      writeFileSync(whole, readFileSync(whole, "utf8").replace(/^\/\/# sourceMappingURL=.*\n?/m, ""));
  }
}

rmSync(out, { recursive: true, force: true });
// The comments are for who reads the types in an editor; in the JavaScript they would only be weight.
compile("--emitDeclarationOnly");
compile("--declaration", "false", "--removeComments", "--noCheck");
dropUnreachableTypes(["components/index.d.ts", "components/plan/index.d.ts", "components/doctor/index.d.ts"]);
// Commands, and rules, which only return what they find; what programs of others import and step through keeps its maps.
const commands = ["cli", "components/debug", "components/doctor", "components/preview"];
for (const folder of [...commands, "components/plan/rules", "components/policy/plan/rules"]) dropSourceMaps(folder);
// Read at run time, so the compiler does not see them. As nodes get them: without the lines that only explain.
const scripts = "components/plan/scripts";
mkdirSync(path.join(out, scripts));
for (const name of readdirSync(path.join(root, scripts)))
  writeFileSync(path.join(out, scripts, name), readScript(name));
// Pulumi's analyzer reads the types of what other languages may use from the sources beside the JavaScript.
cpSync(path.join(root, "plugin"), path.join(out, "plugin"), { recursive: true });
chmodSync(path.join(out, "cli/zerosteal.js"), 0o755);
