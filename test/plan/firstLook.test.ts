import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { firstLookScript, planCluster } from "../../components/plan";
import { hostsCluster } from "./clusters";

/** What a machine has, and who comes to it. */
interface Machine {
  system: string;
  programs: string[];
  user: string;
  /** Whether sudo lets the user without a password. */
  sudo: boolean;
}

const good: Machine = { system: "Linux", programs: ["bash", "flock", "timeout"], user: "root", sudo: false };

describe("first look at an existing host", () => {
  let bin: string;
  beforeEach(() => (bin = mkdtempSync(path.join(os.tmpdir(), "zerosteal-first-look-"))));
  afterEach(() => rmSync(bin, { recursive: true, force: true }));

  /** Runs it by the plainest shell, with nothing on its path but what the machine has, and a command behind it. */
  const run = (change: Partial<Machine>): { status: number | null; out: string; lines: string[] } => {
    const machine = { ...good, ...change };
    const args = hostsCluster();
    args.underlay.user = machine.user;
    const plan = planCluster("prod", args);
    const node = plan.nodes.find(({ name }) => name === "prod-web-1");
    assert.ok(node && plan.underlay.kind === "hosts");
    const put = (name: string, text: string): void =>
      writeFileSync(path.join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    for (const name of machine.programs) put(name, name === "sudo" ? `exit ${machine.sudo ? 0 : 1}` : "exit 0");
    put("uname", `[ "$1" = -s ] && echo ${machine.system}`);
    const script = `${firstLookScript(plan.underlay, node)}echo the step runs\n`;
    const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", script], { encoding: "utf8", env: { PATH: bin } });
    return { status, out: stdout, lines: stderr.trim().split("\n") };
  };

  it("lets a step run on a machine that has what it takes", () => {
    assert.deepEqual(run({}), { status: 0, out: "the step runs\n", lines: [""] });
    const admin = run({ user: "admin", sudo: true, programs: [...good.programs, "sudo"] });
    assert.deepEqual(admin, { status: 0, out: "the step runs\n", lines: [""] });
  });

  const mistakes: [string, Partial<Machine>, string[]][] = [
    [
      "another system, and nothing of its programs",
      { system: "FreeBSD", programs: [] },
      ["runs FreeBSD; a node needs Linux"],
    ],
    [
      "programs that are missing",
      { programs: ["timeout"] },
      ["bash", "flock"].map((tool) => `lacks the program ${tool}, which every step needs; install it`),
    ],
    ["no sudo", { user: "admin" }, ["lacks the program sudo; install it, or set underlay.user to root"]],
    [
      "a sudo that asks",
      { user: "admin", programs: [...good.programs, "sudo"] },
      ["lets admin not run sudo without a password; allow that, or set underlay.user to one who may"],
    ],
  ];
  for (const [what, change, found] of mistakes) {
    it(`names ${what}, and runs nothing`, () => {
      const { status, out, lines } = run(change);
      assert.equal(status, 1);
      assert.equal(out, "");
      assert.deepEqual(lines, [
        ...found.map((words) => `node prod-web-1: ${words}`),
        `node prod-web-1: ${found.length} problems, and nothing was changed on it`,
      ]);
    });
  }
});
