import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { pulumi } from "../../../cli/engine";
import { type Cluster, exportState, openCluster, type StateResource } from "../support/cluster";
import { tell } from "../support/evidence";
import { shared } from "../support/shared";

/** A secret, by a piece of it that is on one line wherever it is written. */
interface Secret {
  kind: string;
  marker: string;
  /** Where it must be, and why; below the sandbox's folder, which is root's alone. */
  home: RegExp;
}

const homes = {
  // The operator's own files: the command line works with them.
  "API token": /^api-token$/,
  passphrase: /^passphrase$/,
  "client key of the kubeconfig": /^kubeconfig$/,
  // It is the operator's way in and leaves the encrypted state only for the engine's memory.
  "operator's SSH key": /^$/,
  // User data carries it to the machine, as on any cloud: the cloud's records, cloud-init's copies on the machine's disk.
  "one-time host key": /^(api\/\w+\.json|machines\/\d+\/upper\/var\/lib\/cloud\/.*)$/,
  // Kubernetes itself keeps tokens, as Secrets in etcd, until they expire.
  "join token": /^machines\/\d+\/upper\/var\/lib\/etcd\/.*$/,
};

/** Secrets are where they must be, and nowhere else. */
export function secretsSuite(): void {
  describe("secrets", function () {
    this.timeout(180_000);
    let cluster: Cluster;
    let secrets: Secret[];

    before(async () => {
      cluster = await openCluster();
      secrets = await collectSecrets(cluster);
      const counts = Object.keys(homes).map((kind) => `${secrets.filter((s) => s.kind === kind).length} × ${kind}`);
      tell(`looked for: ${counts.join(", ")}`);
    });

    it("are all known to this test", () => {
      assert.deepEqual(new Set(secrets.map(({ kind }) => kind)), new Set(Object.keys(homes)));
    });

    it("are not in the exported state", async () => {
      const { text } = await exportState(cluster.engine);
      assert.match(text, /"ciphertext"/);
      expectAbsent(secrets, text);
    });

    it("are not in what the command line printed", () => {
      const text = shared.runs.map(({ output }) => output).join("\n");
      assert.match(text, /kubeadm init done/);
      expectAbsent(secrets, text);
    });

    it("are not in the arguments of any process during `up`", () => {
      const text = shared.arguments.join("\n");
      assert.match(text, /kubeadm init --config/, "machines' processes were seen");
      expectAbsent(secrets, text);
      tell(`${shared.arguments.length} command lines`);
    });

    it("are in no file of the sandbox but those that must hold them", async () => {
      const { stateDir } = cluster.instance;
      for (const secret of secrets) {
        const files = await filesWith(secret.marker, stateDir);
        assert.deepEqual(
          files.filter((file) => !secret.home.test(file)),
          [],
          secret.kind,
        );
        if (secret.home.source !== "^$") assert.ok(files.length > 0, `${secret.kind} is found where it must be`);
      }
    });

    it("are not in temporary files", async () => {
      const names = (await readdir("/tmp")).filter((name) => /^(zerosteal|pulumi)/.test(name));
      for (const name of names) {
        for (const { marker, kind } of secrets)
          assert.deepEqual(await grep(marker, [path.join("/tmp", name)]), [], kind);
      }
    });
  });
}

function expectAbsent(secrets: Secret[], text: string): void {
  assert.deepEqual(
    secrets.filter(({ marker }) => text.includes(marker)).map(({ kind }) => kind),
    [],
  );
}

async function collectSecrets({ engine, instance, kubeconfig }: Cluster): Promise<Secret[]> {
  const file = (name: string): Promise<string> => readFile(path.join(instance.stateDir, name), "utf8");
  const opened = JSON.parse(await pulumi(engine, ["stack", "export", "--show-secrets"])) as {
    deployment: { resources: StateResource[] };
  };
  const { resources } = opened.deployment;
  const named = (prefix: string): StateResource[] =>
    resources.filter(({ urn }) => urn.split("::").at(-1)?.startsWith(prefix));
  const keys = (prefix: string): string[] =>
    named(prefix)
      .filter(({ type }) => type === "pulumi:index:Stash")
      .map(({ outputs }) => (plain(outputs?.output) as { privateKey: string }).privateKey);
  const tokens = named("admit-").map(({ outputs }) => String(plain(outputs?.stdout)).trim());
  const of = (kind: keyof typeof homes, markers: string[]): Secret[] =>
    markers.map((marker) => ({ kind, marker, home: homes[kind] }));
  return [
    ...of("API token", [(await file("api-token")).trim()]),
    ...of("passphrase", [(await file("passphrase")).trim()]),
    ...of("operator's SSH key", keys("operator-").map(keyLine)),
    ...of("one-time host key", keys("hostkey-").map(keyLine)),
    ...of("client key of the kubeconfig", [/client-key-data: (\S+)/.exec(kubeconfig)?.[1]?.slice(200, 280) ?? ""]),
    // In etcd a token's two halves lie apart: the second is the secret one.
    ...of(
      "join token",
      tokens.map((token) => token.split(".")[1] ?? ""),
    ),
  ];
}

/** With --show-secrets a secret stands as JSON text in an envelope. */
function plain(value: unknown): unknown {
  const text = (value as { plaintext?: string } | undefined)?.plaintext;
  return text === undefined ? value : JSON.parse(text);
}

/** A line in the middle of a private key: its first lines are the same in every key of its kind. */
function keyLine(key: string): string {
  const lines = key.trim().split("\n").slice(1, -1);
  const line = lines.at(-2) ?? "";
  assert.ok(line.length > 30, "a private key has lines");
  return line;
}

/** Files below a folder that hold a text, images of containers and the merged view of a machine's disk left out. */
async function filesWith(text: string, folder: string): Promise<string[]> {
  const machines = await readdir(path.join(folder, "machines"));
  const others = (await readdir(folder)).filter((name) => name !== "machines").map((name) => path.join(folder, name));
  const disks = machines.flatMap((id) =>
    ["upper", "kubelet", "console.log", "spec.json"].map((name) => path.join(folder, "machines", id, name)),
  );
  return (await grep(text, [...others, ...disks])).map((file) => path.relative(folder, file));
}

/** The text goes by standard input: as an argument it would itself be what the suite looks for. */
async function grep(text: string, places: string[]): Promise<string[]> {
  assert.ok(text.length >= 16, "a marker is long enough to be itself");
  const { stdout, exitCode, stderr } = await execa(
    "grep",
    ["-rlaF", "--devices=skip", "--exclude-dir=plugins", "-f", "-", ...places],
    { input: text, reject: false },
  );
  // A file may go away under the search; everything else is an error.
  if ((exitCode ?? 2) > 1 && !stderr.split("\n").every((line) => line.includes("No such file")))
    throw new Error(stderr);
  return stdout.split("\n").filter(Boolean);
}
