/* `npm run build`: the package's JavaScript and types in dist/, with the scripts that nodes run beside them. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, rmSync } from "node:fs";
import path from "node:path";

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

rmSync(out, { recursive: true, force: true });
// The comments are for who reads the types in an editor; in the JavaScript they would only be weight.
compile("--emitDeclarationOnly");
compile("--declaration", "false", "--removeComments", "--noCheck");
// Read at run time, so the compiler does not see them.
cpSync(path.join(root, "components/plan/scripts"), path.join(out, "components/plan/scripts"), { recursive: true });
chmodSync(path.join(out, "cli/zerosteal.js"), 0o755);
