// Starts a program of this repository: `node cli/launch.js FILE.ts [arguments]`. It needs nothing installed: on a fresh clone it installs the
// pinned packages first.
"use strict";
const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { existsSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
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
const installed = () => existsSync(stamp) && readFileSync(stamp, "utf8") === lock;
if (!installed()) oneAtATime(install);

function install() {
  if (installed()) return;
  console.log("Installing the pinned packages (npm ci) …");
  try {
    execFileSync("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
  } catch {
    console.error("npm ci failed; mend what it says above, then run the same command again.");
    process.exitCode = 1;
    return;
  }
  writeFileSync(stamp, lock);
}

/** Two installs at once would take each other's files away: the second waits for the first, unless that one is gone. */
function oneAtATime(action) {
  const claim = path.join(root, ".installing");
  for (;;) {
    try {
      writeFileSync(claim, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!runs(claim)) rmSync(claim, { force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  }
  try {
    action();
  } finally {
    rmSync(claim, { force: true });
  }
  if (process.exitCode) process.exit();
}

/** Whether the process that made a claim still runs. */
function runs(claim) {
  try {
    process.kill(Number(readFileSync(claim, "utf8")), 0);
    return true;
  } catch {
    return false;
  }
}

// In this process, not in a child: a signal then reaches what runs, and nothing else.
const [entry, ...args] = process.argv.slice(2);
process.chdir(root);
process.env.TS_NODE_PROJECT = path.join(root, "tsconfig.json");
process.argv = [process.argv[0], path.join(root, entry), ...args];
require("ts-node/register/transpile-only");
require(path.join(root, entry));
