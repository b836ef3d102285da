import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";

const root = path.resolve(__dirname, "..");

/**
 * Makes the package as `npm pack` does, and a project that has nothing but it and what it asks for.
 * @param project an empty folder outside of the repository
 * @returns the packed file
 */
export function projectWithPackage(project: string): string {
  const output = execFileSync("npm", ["pack", "--json", "--foreground-scripts=false", "--pack-destination", project], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [{ filename }] = JSON.parse(output.slice(output.indexOf("["))) as [{ filename: string }];
  const packed = path.join(project, "node_modules/zerosteal");
  mkdirSync(packed, { recursive: true });
  execFileSync("tar", ["-xzf", path.join(project, filename), "-C", packed, "--strip-components=1"]);
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(path.join(packed, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
  };
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    const link = path.join(project, "node_modules", name);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(path.join(root, "node_modules", name), link);
  }
  return path.join(project, filename);
}
