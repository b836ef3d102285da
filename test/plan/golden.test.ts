import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse, parseAllDocuments } from "yaml";
import {
  applyScript,
  type ClusterPlan,
  type NodePlan,
  planCluster,
  userDataLimit,
  withHostKey,
} from "../../components/plan";
import { needs } from "../capabilities";
import { mirrorManifest, namedClusters } from "./clusters";
import { cachedChart, cachedTool, inTemporaryFolder, writtenBy, type WrittenFile } from "./tools";

/*
 * The whole text that goes to machines, for a few named clusters. After a wanted change:
 *   UPDATE_GOLDEN=1 npx mocha -r ts-node/register test/plan/golden.test.ts
 * and read the difference.
 */
const goldenDir = path.join(__dirname, "golden");
const update = process.env.UPDATE_GOLDEN === "1";

/** A key as OpenSSH writes them: several lines. */
const hostKey = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\nZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n";

/** Files of a plan, by name. Workers of a pool differ by name and address only, so the first of each stands for all. */
function goldenFiles(plan: ClusterPlan): Map<string, string> {
  const files = new Map<string, string>();
  const { nodes, cilium, ...rest } = plan;
  const summary = {
    ...rest,
    cilium: { ...cilium, values: "see cilium-values.json" },
    nodes: nodes.map(
      ({ files: _files, setupScript: _script, userData: _data, kubeadm: _kubeadm, nodeObject: _object, ...node }) =>
        node,
    ),
  };
  files.set("plan.json", json(summary));
  files.set("cilium-values.json", json(cilium.values));
  for (const node of nodes.filter(({ index }) => index === 1)) {
    if (node.userData !== "") files.set(`${node.pool}/user-data.yaml`, withoutScripts(node));
    for (const { path: file, content } of node.files.filter(({ path: file }) => file.includes("firewall")))
      files.set(`${node.pool}/${path.basename(file)}`, content);
    files.set(`${node.pool}/kubeadm.yaml`, node.kubeadm);
    files.set(`${node.pool}/node.json`, node.nodeObject);
  }
  return files;
}

/** User data without the text of the scripts, which lie in the repository as files of their own. */
function withoutScripts(node: NodePlan): string {
  const scripts = node.files.filter(({ mode }) => mode === "0755");
  const text = node.userData.replace(/^- content: [\w+/=]+(?=\n {2}encoding: gz\+b64$)/gm, "- content: (script)");
  assert.equal(text.split("(script)").length, scripts.length + 1);
  return text;
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

for (const [name, args] of Object.entries(namedClusters)) {
  describe(`golden cluster ${name}`, () => {
    const plan = planCluster(name, args);
    const folder = path.join(goldenDir, name);

    it("is planned as its files say", () => {
      const files = goldenFiles(plan);
      if (update) {
        rmSync(folder, { recursive: true, force: true });
        for (const [file, text] of files) {
          mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
          writeFileSync(path.join(folder, file), text);
        }
      }
      assert.deepEqual(filesBelow(folder), [...files.keys()].sort());
      for (const [file, text] of files) assert.equal(text, readFileSync(path.join(folder, file), "utf8"), file);
    });

    it("is the same when planned again", () => {
      assert.deepEqual(planCluster(name, structuredClone(args)), plan);
    });

    it("has user data that carries its files, word for word", () => {
      if (plan.underlay.kind === "hosts") {
        assert.deepEqual([...new Set(plan.nodes.map((node) => node.userData))], [""]);
        return;
      }
      for (const node of plan.nodes) {
        const data = withHostKey(node.userData, hostKey);
        assert.ok(data.startsWith("#cloud-config\n"));
        assert.ok(Buffer.byteLength(data) <= userDataLimit, `${Buffer.byteLength(data)} bytes`);
        const document = parse(data) as Record<string, unknown>;
        assert.deepEqual(document.ssh_keys, { ecdsa_private: hostKey });
        assert.deepEqual(
          (document.write_files as WrittenFile[]).map(writtenBy),
          node.files.map(({ path: file, mode, content }) => ({ content, path: file, permissions: mode })),
        );
        assert.deepEqual(document.runcmd, [["/usr/local/sbin/zerosteal-setup"]]);
        // No package manager on the way to a node.
        for (const key of ["packages", "apt", "snap", "package_reboot_if_required"]) assert.ok(!(key in document), key);
      }
    });

    it("has texts that end with one newline, without returns or trailing blanks", () => {
      for (const node of plan.nodes) {
        const data = node.userData === "" ? [] : [node.userData];
        for (const text of [...data, node.kubeadm, node.nodeObject, ...node.files.map((file) => file.content)]) {
          assert.match(text, /[^\n]\n$/);
          assert.doesNotMatch(text, /\r| \n/);
        }
      }
    });

    it("has scripts that bash can read", () => {
      for (const node of plan.nodes.filter(({ index }) => index === 1)) {
        for (const script of [
          node.setupScript,
          applyScript(node.files),
          ...node.files.filter(({ mode }) => mode === "0755").map(({ content }) => content),
        ]) {
          execFileSync("bash", ["-n"], { input: script });
        }
      }
    });

    it("has no placeholder but the agreed ones", () => {
      for (const node of plan.nodes) {
        const allowed = {
          userData: ["ONE_TIME_HOST_KEY"],
          kubeadm: ["CA_CERT_HASH", "JOIN_TOKEN"],
          nodeObject: ["PROVIDER_ID"],
        };
        const cloud = plan.underlay.kind === "hetzner" ? 1 : 0;
        assert.equal(node.userData.split("ONE_TIME_HOST_KEY").length, 1 + cloud);
        assert.deepEqual(
          [...new Set(node.kubeadm.match(/JOIN_TOKEN|CA_CERT_HASH/g) ?? [])].sort(),
          node.role === "worker" ? allowed.kubeadm : [],
        );
        assert.equal(node.nodeObject.split("PROVIDER_ID").length, 1 + cloud);
      }
    });

    it("has documents that kubeadm accepts", function () {
      needs(this, "kubeadm");
      this.timeout(30_000);
      for (const node of plan.nodes.filter(({ index }) => index === 1)) assert.equal(validate(node.kubeadm), "ok\n");
    });

    it("has values that the chart takes", function () {
      needs(this, "cilium-chart");
      this.timeout(60_000);
      const config = renderedConfig(plan);
      const { values } = plan.cilium;
      const { mtu, nextHop, sourceCheck, interfaces } = plan.underlay;
      const native = plan.tunnel === "none";
      assert.equal(config.mtu, String(mtu));
      assert.equal(config["routing-mode"], native ? "native" : "tunnel");
      assert.equal(config["ipv4-native-routing-cidr"], plan.podCidr);
      assert.equal(config["auto-direct-node-routes"], String(native && nextHop === "direct"));
      assert.equal(config["kube-proxy-replacement"], "true");
      assert.equal(config["enable-bpf-masquerade"], "true");
      assert.equal(config["enable-ipv4-masquerade"], "true");
      assert.equal(config.ipam, "kubernetes");
      assert.equal(config["k8s-require-ipv4-pod-cidr"], "true");
      assert.equal(config["bpf-lb-mode"], native && !sourceCheck ? "dsr" : "snat");
      assert.equal(config.devices, [...new Set([interfaces.public, interfaces.private])].join(" "));
      assert.equal(config["direct-routing-device"], interfaces.private);
      const subnets = plan.underlay.kind === "hetzner" ? plan.underlay.subnets : [plan.underlay.nodeSubnet];
      assert.equal(config["nodeport-addresses"], subnets.join(","));
      assert.equal(config["enable-wireguard"] ?? "false", String(plan.encryption === "wireguard"));
      assert.equal(config["datapath-mode"], plan.datapath);
      assert.equal(config["bpf-lb-acceleration"], plan.xdp);
      assert.equal(config["cluster-name"], plan.name);
      assert.equal(config["enable-bandwidth-manager"] ?? "false", String(plan.bbr === "node-and-pod"));
      assert.equal(config["enable-l7-proxy"], values.l7Proxy === false ? "false" : "true");
    });
  });
}

/** What kubeadm says to a document; placeholders are filled with values of the right form. */
function validate(document: string): string {
  const kubeadm = cachedTool("kubeadm");
  assert.ok(kubeadm);
  const filled = document
    .replace("JOIN_TOKEN", "abcdef.0123456789abcdef")
    .replace("CA_CERT_HASH", `sha256:${"0".repeat(64)}`);
  return inTemporaryFolder((folder) => {
    const file = path.join(folder, "kubeadm.yaml");
    writeFileSync(file, filled);
    return execFileSync(kubeadm, ["config", "validate", "--config", file], { encoding: "utf8" });
  });
}

/** The agent's configuration as the chart renders it from a plan's values, which its schema has then passed. */
function renderedConfig(plan: ClusterPlan): Record<string, string> {
  const [helm, chart] = [cachedTool("helm"), cachedChart()];
  assert.ok(helm !== undefined && chart !== undefined);
  return inTemporaryFolder((folder) => {
    const file = path.join(folder, "values.json");
    writeFileSync(file, json(plan.cilium.values));
    const version = ["--kube-version", plan.versions.kubernetes];
    const args = ["template", plan.cilium.release, chart, "-n", plan.cilium.namespace, ...version, "-f", file];
    const rendered = execFileSync(helm, args, {
      encoding: "utf8",
      maxBuffer: 1 << 26,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const documents = parseAllDocuments(rendered).map(
      (document) =>
        document.toJS() as { kind?: string; metadata?: { name?: string }; data?: Record<string, string> } | null,
    );
    const config = documents.find(
      (document) => document?.kind === "ConfigMap" && document.metadata?.name === "cilium-config",
    );
    assert.ok(config?.data);
    return config.data;
  });
}

describe("golden files", () => {
  it("belong to a named cluster each", () => {
    assert.deepEqual(readdirSync(goldenDir).sort(), Object.keys(namedClusters).sort());
  });

  it("are judged by a kubeadm that refuses what is wrong", function () {
    needs(this, "kubeadm");
    this.timeout(30_000);
    const [node] = planCluster("small", namedClusters.small ?? assert.fail()).nodes;
    assert.ok(node);
    assert.throws(() => validate(node.kubeadm.replace("advertiseAddress", "advertisedAddress")), /unknown field/);
  });

  it("would show user data that is too large with the longest names", () => {
    const args = structuredClone(namedClusters["air-gapped"] ?? assert.fail());
    args.pools = [{ name: "p".repeat(20), count: 80, serverType: "ccx23", cpuIsolation: "strict" }];
    args.artifacts = { baseUrl: `http://${"m".repeat(60)}.internal:8080/`, manifest: mirrorManifest() };
    const plan = planCluster("c".repeat(32), args);
    const largest = Math.max(...plan.nodes.map((node) => Buffer.byteLength(node.userData)));
    assert.ok(largest < userDataLimit - 4096, `${largest} bytes leave little room`);
    assert.ok(plan.nodes.every((node) => node.name.length <= 63));
  });
});
