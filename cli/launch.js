// Starts the command line. It needs nothing installed: on a fresh clone it installs the pinned packages first.
"use strict";
const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
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

// In this process, not in a child: a signal then reaches what runs, and nothing else.
const [entry, ...args] = process.argv.slice(2);
process.chdir(root);
process.env.TS_NODE_PROJECT = path.join(root, "tsconfig.json");
process.argv = [process.argv[0], path.join(root, entry), ...args];
require("ts-node/register/transpile-only");
require(path.join(root, entry));
