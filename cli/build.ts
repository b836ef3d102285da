/* `npm run build`: the package's JavaScript and types in dist/, with the scripts that nodes run beside them. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, rmSync } from "node:fs";
import path from "node:path";

const root = path.join(__dirname, "..");
const out = path.join(root, "dist");

rmSync(out, { recursive: true, force: true });
try {
  execFileSync(
    process.execPath,
    [require.resolve("typescript/bin/tsc"), "-p", path.join(root, "tsconfig.build.json")],
    {
      stdio: "inherit",
    },
  );
} catch {
  console.error("The build failed; tsc says above where.");
  process.exit(1);
}
// Read at run time, so the compiler does not see them.
cpSync(path.join(root, "components/plan/scripts"), path.join(out, "components/plan/scripts"), { recursive: true });
chmodSync(path.join(out, "cli/zerosteal.js"), 0o755);
