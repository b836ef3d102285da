// Starts a program of this repository: `node cli/launch.js FILE.ts [arguments]`. It needs nothing installed: on a fresh clone it installs
// the pinned packages first.
"use strict";
const { execFileSync, spawn } = require("node:child_process");
const { createHash } = require("node:crypto");
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const root = path.join(__dirname, "..");
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node.js ${process.versions.node} is too old: zerosteal needs 20.19 or newer.`);
  process.exit(2);
}

// The stamp says for which lock file node_modules was installed.
const stamp = path.join(root, "node_modules", ".zerosteal-lock");
const lock = createHash("sha256")
  .update(readFileSync(path.join(root, "package-lock.json")))
  .digest("hex");
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  console.log("Installing the pinned packages (npm ci) …");
  try {
    execFileSync("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
  } catch {
    console.error("npm ci failed; mend what it says above, then run the same command again.");
    process.exit(1);
  }
  writeFileSync(stamp, lock);
}

const [entry, ...args] = process.argv.slice(2);
const child = spawn(process.execPath, ["-r", "ts-node/register/transpile-only", path.join(root, entry), ...args], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, TS_NODE_PROJECT: path.join(root, "tsconfig.json") },
});
// The program ends in its own time. A terminal's Ctrl-C reaches it directly; what reaches only this process is passed on.
process.on("SIGINT", () => {
  if (!process.stdin.isTTY) child.kill("SIGINT");
});
process.on("SIGTERM", () => child.kill("SIGTERM"));
process.on("SIGHUP", () => child.kill("SIGHUP"));
child.on("exit", (code, signal) => process.exit(code ?? 128 + os.constants.signals[signal]));
