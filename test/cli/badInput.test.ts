import assert from "node:assert/strict";
import { Command } from "commander";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { registerCapture } from "../../cli/capture";
import { registerDebug } from "../../cli/debug";
import { registerDoctor } from "../../cli/doctor";
import { registerPreviewReport } from "../../cli/previewReport";
import { registerSteal } from "../../cli/steal";
import { verify } from "../../cli/verify";
import { FakeApi, kubeconfig } from "../doctor/fakeApi";
import { needs } from "../capabilities";

/** What a command said on standard error, and its exit code. */
async function told(work: () => Promise<unknown>): Promise<{ code: unknown; error: string }> {
  const { exitCode } = process;
  const write = process.stderr.write.bind(process.stderr);
  let error = "";
  process.stderr.write = (text: string) => ((error += text), true);
  try {
    process.exitCode = undefined;
    const result = await work();
    return { code: result ?? process.exitCode, error };
  } finally {
    process.stderr.write = write;
    process.exitCode = exitCode;
  }
}

function run(...args: string[]) {
  return told(async () => {
    const program = new Command();
    for (const register of [registerDoctor, registerDebug, registerCapture, registerSteal, registerPreviewReport])
      register(program);
    await program.parseAsync(args, { from: "user" });
  });
}

/** One sentence or two on one line, the code of what could not be done, no stack and no secret. */
function assertRefused({ code, error }: { code: unknown; error: string }, why: RegExp): void {
  assert.equal(code, 2, error);
  assert.match(error, why);
  assert.match(error, /^[A-Z][^\n]*[.?]\n$/);
  assert.ok(!error.includes("MARKER"));
}

const commands: [name: string, ...args: string[]][] = [
  ["doctor"],
  ["debug", "shop/web-1", "--print"],
  ["capture", "--from", "shop/web-1", "--to", "shop/web-2", "--port", "8080"],
  ["steal", "--seconds", "2"],
];

describe("bad input", () => {
  let folder: string;
  let api: FakeApi;
  let usable: string;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "zerosteal-input-"));
    api = new FakeApi();
    usable = file("kubeconfig", await api.start());
  });
  afterEach(async () => {
    await api.stop();
    rmSync(folder, { recursive: true });
  });

  function file(name: string, content: string): string {
    writeFileSync(path.join(folder, name), content);
    return path.join(folder, name);
  }

  for (const [name, ...args] of commands) {
    describe(`of ${name}`, () => {
      const refused = async (config: string, why: RegExp) =>
        assertRefused(await run(name, "--kubeconfig", config, ...args), why);

      it("is a cluster that cannot be reached", () =>
        refused(file("away", kubeconfig("http://127.0.0.1:1")), /does not answer: connection refused/));

      it("is a kubeconfig without rights, or with credentials that are not accepted", async () => {
        api.cluster.refuse = () => 403;
        await refused(usable, /^This kubeconfig may not .*\. Use one with administrator rights\.$/m);
        api.cluster.refuse = () => 401;
        await refused(usable, /does not accept this kubeconfig's credentials\. Renew it\./);
      });

      it("is a kubeconfig that is cut off, says nothing, or is not there", async () => {
        const whole = readFileSync(usable, "utf8");
        await refused(file("cut", whole.slice(0, whole.length / 2)), /^The kubeconfig cannot be read \(\w+\)\./);
        await refused(file("empty", "{}"), /names no current cluster|cannot be read/);
        await refused(path.join(folder, "none"), /none does not exist\.$/m);
      });
    });
  }

  it("is a pod that does not exist", async () => {
    for (const [name, ...args] of commands.filter(([command]) => command === "debug" || command === "capture"))
      assertRefused(await run(name, "--kubeconfig", usable, ...args), /^There is no pod shop\/web-[12]\.$/m);
  });

  it("is a plan that is cut off, or none", async () => {
    for (const name of ["doctor", "steal"]) {
      const with_ = (plan: string) => run(name, "--kubeconfig", usable, "--plan", plan);
      assertRefused(await with_(file("cut", '{"nodes": [')), /is not JSON\.$/m);
      assertRefused(await with_(file("other", "[]")), /is not a cluster plan/);
    }
  });

  it("is a sandbox that does not exist", async function () {
    needs(this, "root");
    assertRefused(await told(() => verify("no-such-sandbox")), /^There is no sandbox "no-such-sandbox"; make it with/);
  });

  describe("of preview-report", () => {
    const refused = async (content: string, why: RegExp) =>
      assertRefused(await run("preview-report", file("preview.json", content)), why);
    const recorded = path.join(__dirname, "../preview/recorded/scale-up.json");

    it("is a preview of another project", () =>
      refused(
        JSON.stringify({
          steps: [{ op: "create", urn: "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::b", provider: "p" }],
        }),
        /nothing that zerosteal makes: is it another project's\?/,
      ));

    it("is a preview that is cut off, no JSON, empty, or not there", async () => {
      const whole = readFileSync(recorded, "utf8");
      await refused(whole.slice(0, whole.length / 2), /it is cut off or no JSON\.$/m);
      await refused("Previewing update (eng)", /it is no JSON\.$/m);
      await refused("", /^The preview is empty/);
      assertRefused(await run("preview-report", path.join(folder, "none")), /cannot be read \(ENOENT\)\.$/m);
    });

    it("is a format of an old engine", () =>
      refused(JSON.stringify({ config: {}, resources: [] }), /no preview as Pulumi 3 prints it/));

    it("is not what this project's engine printed", async () => {
      const { code, error } = await run("preview-report", recorded, "--markdown", path.join(folder, "report.md"));
      assert.deepEqual({ code, error }, { code: 0, error: "" });
    });
  });
});
