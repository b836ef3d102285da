import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Registration } from "./program";
import { clusterArgs, commands, runCluster } from "./support";

/** A shell script of a step, or one inside it. */
interface Script {
  name: string;
  text: string;
}

/** Bodies of here-documents that are scripts themselves: bash looks into none of them before it runs them. */
function withNested({ name, text }: Script): Script[] {
  const nested = ["END_OF_STEP", "END_OF_SETUP"].flatMap((end) => {
    const body = new RegExp(`<<'${end}'[^\\n]*\\n(.*?)^${end}$`, "ms").exec(text)?.[1];
    return body === undefined ? [] : [{ name: `${name} ${end}`, text: body }];
  });
  return [{ name, text }, ...nested];
}

function scriptsOf(registrations: Registration[]): Script[] {
  return commands(registrations).flatMap(({ name, inputs }) =>
    (["create", "delete"] as const).flatMap((key) => {
      const text = inputs[key];
      return typeof text === "string" ? withNested({ name: `${key} of ${name}`, text }) : [];
    }),
  );
}

/** What bash says about a script without running it; empty when it is well formed. */
function syntaxErrors(text: string): string {
  return spawnSync("bash", ["-n"], { input: text, encoding: "utf8" }).stderr;
}

describe("scripts of a cluster", () => {
  it("are well formed, down to the scripts inside them", async () => {
    const { registrations } = await runCluster();
    const scripts = scriptsOf(registrations);
    assert.ok(scripts.some(({ name }) => name === "create of tune-prod-web-1 END_OF_SETUP"));
    assert.ok(scripts.some(({ name }) => name === "delete of admit-prod-web-1 END_OF_STEP"));
    for (const { name, text } of scripts) assert.equal(syntaxErrors(text), "", name);
  });

  it("would be seen not to be: a missing fi is found at each depth", () => {
    const broken = { name: "x", text: "bash /dev/fd/3 3<<'END_OF_STEP'\nif true; then echo\nEND_OF_STEP\n" };
    assert.deepEqual(
      withNested(broken).map(({ text }) => syntaxErrors(text) === ""),
      [true, false],
    );
  });

  it("stop at the first command that fails, and name step and node", async () => {
    const { registrations } = await runCluster();
    for (const { name, inputs } of commands(registrations).filter(({ type }) => type.includes("remote"))) {
      const text = String(inputs.create);
      assert.match(text, /^timeout \d+ bash -euo pipefail \/dev\/fd\/3 3<<'END_OF_STEP'/m, name);
      const node = name.startsWith("kubeconfig") || name.startsWith("admit") ? "control-plane-1" : "";
      assert.match(text, new RegExp(`step ${name} failed on node prod-${node}`));
    }
  });

  it("show the end of what a failed kubeadm said, but no token, and keep it for root alone", async () => {
    const { registrations } = await runCluster();
    const text = String(commands(registrations).find(({ name }) => name.startsWith("init-"))?.inputs.create);
    const shell = /^kubeadm_or_show\(\) \{$.*?^\}$/ms.exec(text)?.[0] ?? "";
    const folder = mkdtempSync(path.join(os.tmpdir(), "zerosteal-scripts-"));
    try {
      const log = path.join(folder, "log");
      writeFileSync(log, "", { mode: 0o644 });
      const said =
        "[bootstrap-token] Using token: abcdef.0123456789abcdef\nerror: prod.zerosteal.internal does not answer";
      const script = `kubeadm() { echo '${said}'; return 1; }\n${shell.replaceAll("/var/log/zerosteal-kubeadm.log", log)}\nkubeadm_or_show init`;
      // With a socket as standard input, which spawnSync makes, bash may take itself for a remote shell and read its startup file.
      const { status, stderr } = spawnSync("bash", ["-euo", "pipefail", "-c", script], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
      assert.equal(status, 1);
      assert.equal(stderr, "[bootstrap-token] Using token: (token)\nerror: prod.zerosteal.internal does not answer\n");
      assert.equal(statSync(log).mode & 0o777, 0o600);
      assert.match(readFileSync(log, "utf8"), /does not answer/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("are the same text at every run", async () => {
    const [first, second] = [await runCluster(), await runCluster(clusterArgs(), { preview: true })];
    assert.deepEqual(scriptsOf(first.registrations), scriptsOf(second.registrations));
  });

  it("fit into one SSH request with room to spare", async () => {
    const { registrations } = await runCluster();
    // sshd hands a command to the shell as one argument, which Linux bounds at 128 KiB.
    for (const { name, text } of scriptsOf(registrations)) assert.ok(Buffer.byteLength(text) < 100_000, name);
  });
});
