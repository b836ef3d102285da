import assert from "node:assert/strict";
import { exitCodeOf } from "../../cli/previewReport";
import { opened } from "../../components/preview/openings";
import { applyScript, planCluster } from "../../components/plan";
import { hostKeyOf, hostsCluster } from "../plan/clusters";
import { changed, child, command, findingsOf, type MadeStep, reportOf, saidOf, server } from "./made";

const ruler = (before: string[], after: string[]): string | undefined =>
  opened(new Map([["ssh", before]]), new Map([["ssh", after]]));

describe("who is let in", () => {
  const one = ["203.0.113.7/32"];

  it("is summed up over ranges", () => {
    assert.equal(ruler(one, ["0.0.0.0/0"]), "lets the whole world in");
    assert.equal(ruler(one, ["::/0"]), "lets the whole world in");
    assert.equal(ruler(one, ["0.0.0.0/1", "128.0.0.0/1"]), "lets the whole world in");
    assert.equal(ruler(one, ["::/1", "8000::/1", "8000::/2"]), "lets the whole world in");
    const many = Array.from({ length: 200 }, (_, first) => `${first + 11}.0.0.0/8`);
    assert.equal(ruler(one, many), "lets large parts of the world in");
    assert.equal(ruler(one, ["2000::/3"]), "lets large parts of the world in");
    assert.equal(ruler(one, ["no range", ...one]), "lets the whole world in");
    assert.equal(ruler(["0.0.0.0/1"], ["0.0.0.0/1", "128.0.0.0/2"]), "lets large parts of the world in");
  });

  it("is no opening when it is somebody's own, private, or was so before", () => {
    assert.equal(ruler(one, [...one, "198.51.100.0/24", "2001:db8::/32"]), undefined);
    assert.equal(ruler(one, ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]), undefined);
    assert.equal(ruler(["0.0.0.0/0"], ["0.0.0.0/0", ...one]), undefined);
    assert.equal(ruler(["0.0.0.0/1", "0.0.0.0/2"], ["0.0.0.0/1"]), undefined);
    assert.equal(ruler(["0.0.0.0/0"], one), undefined);
  });
});

describe("a firewall that opens", () => {
  const rules = (...sourceIps: string[]): Record<string, unknown> => ({
    rules: [
      { direction: "in", protocol: "tcp", port: "22", sourceIps },
      { direction: "out", sourceIps: ["0.0.0.0/0"] },
    ],
  });
  const firewall = (...sourceIps: string[]): MadeStep =>
    changed("hcloud:index/firewall:Firewall", "eng", rules("203.0.113.7/32"), rules(...sourceIps));

  it("is high in the cloud, by another port too", () => {
    assert.equal(saidOf(reportOf(firewall("0.0.0.0/1", "128.0.0.0/1")), "firewall-open").grade, "high");
    assert.equal(reportOf(firewall("203.0.113.8/32")).grade, "medium");
    const port = (number: string): Record<string, unknown> => ({
      rules: [{ protocol: "tcp", port: number, sourceIps: ["::/0"] }],
    });
    const other = changed("hcloud:index/firewall:Firewall", "eng", port("443"), port("1-65535"));
    assert.equal(reportOf(other).grade, "high");
  });

  it("is high when it is taken off a server", () => {
    const ids = (before: unknown, after: unknown): MadeStep =>
      changed(server, "eng-web-1", { firewallIds: before }, { firewallIds: after });
    for (const after of [[], undefined, [2]]) {
      assert.equal(saidOf(reportOf(ids([1], after)), "machine-open").grade, "high");
    }
    assert.equal(reportOf(ids([1], [1, 2])).grade, "medium");
  });

  describe("of a host", () => {
    const [node] = planCluster("eng", hostsCluster()).nodes;
    const script = (content: (rules: string) => string): string =>
      applyScript(
        node!.files.map((file) =>
          file.path === "/etc/zerosteal/firewall.nft" ? { ...file, content: content(file.content) } : file,
        ),
      );
    const graded = (content: (rules: string) => string): string => {
      const after = script(content);
      const before = script((rules) => rules);
      assert.notEqual(after, before);
      return reportOf(changed(command, `tune-${node!.name}`, { create: before }, { create: after })).grade;
    };

    it("is high when it opens, and when it goes", () => {
      assert.equal(
        graded((text) => text.replace(/ip saddr \{ 203[^}]*\} tcp/, "meta nfproto ipv4 tcp")),
        "high",
      );
      assert.equal(
        graded((text) => text.replace(/ip saddr \{ 203[^}]*\} tcp/, "ip saddr { 0.0.0.0/1, 128.0.0.0/1 } tcp")),
        "high",
      );
      assert.equal(
        graded((text) => text.replace("policy drop", "policy accept")),
        "high",
      );
      assert.equal(
        graded((text) => text.replace('    iif "lo" accept\n', "$&    tcp dport 1-65535 accept\n")),
        "high",
      );
      assert.equal(
        graded((text) => text.replace(/ip saddr \{ 203[^}]*\} tcp/, "ip saddr { 1.0.0.0-223.0.0.0 } tcp")),
        "high",
      );
      assert.equal(
        graded((text) => text.replace(/elements = \{ 10/, "elements = { 0.0.0.0/0, 10")),
        "high",
      );
      assert.equal(
        graded((text) => text.replace(/elements = \{ 10.*/, "elements = $everybody")),
        "high",
      );
      const again = (text: string): string => `${text}delete table inet zerosteal
table inet zerosteal {
  set nodes {
    type ipv4_addr; flags timeout;
  }
}
`;
      assert.equal(graded(again), "high");
      const quoted = (text: string): string =>
        text.replace(
          '    iif "lo" accept\n',
          `$&    ip saddr 203.0.113.9 accept comment "x accept
    ct state established,related accept comment "; tcp dport 1-65535 accept; ip saddr 203.0.113.9 log prefix "
    ip saddr 203.0.113.9 " accept
`,
        );
      assert.equal(graded(quoted), "high");
      assert.equal(
        graded(() => "\n"),
        "high",
      );
      const gone = applyScript(node!.files.filter(({ path }) => path !== "/etc/zerosteal/firewall.nft"));
      const step = changed(command, `tune-${node!.name}`, { create: script((rules) => rules) }, { create: gone });
      assert.equal(saidOf(reportOf(step), "firewall-open").grade, "high");
    });

    it("is medium when another address, or another node, is let in", () => {
      assert.equal(
        graded((text) => text.replace(/ip saddr \{ 203/, "ip saddr { 198.51.100.7/32, 203")),
        "medium",
      );
      const args = hostsCluster();
      const [one] = Object.values(args.underlay.machines);
      args.underlay.machines["web-3"] = {
        ...one!,
        address: "203.0.113.13",
        privateAddress: "10.20.0.13",
        hostKey: hostKeyOf("web-3"),
      };
      args.pools = [{ name: "web", count: 3 }];
      const rules = planCluster("eng", args).nodes[0]?.files.find((file) => file.path.endsWith("firewall.nft"));
      assert.match(rules?.content ?? "", /eth0.*@nodes drop/);
      assert.equal(
        graded(() => rules?.content ?? ""),
        "medium",
      );
      assert.equal(
        graded((text) => text.replace(/.*udp sport 67.*\n/, "")),
        "medium",
      );
    });
  });
});

describe("a policy", () => {
  const type = "kubernetes:cilium.io/v2:CiliumNetworkPolicy";
  const spec = (more: Record<string, unknown>, namespace = "shop"): Record<string, unknown> => ({
    kind: "CiliumNetworkPolicy",
    metadata: { name: "x", namespace },
    spec: { endpointSelector: { matchLabels: { app: "api" } }, ...more },
  });
  const ingress = spec({ ingress: [{ fromEndpoints: [{}] }] });
  const goes = child("delete", type, "graph-ingress", [ingress], "");
  const baseline = (op: string, namespace = "shop", more: Record<string, unknown> = {}): MadeStep => {
    const state = spec({ endpointSelector: {}, ingress: [{}], egress: [{}], ...more }, namespace);
    return child(
      op,
      type,
      "shop-default-deny",
      [op === "create" ? undefined : state, op === "delete" ? undefined : state],
      "",
    );
  };

  it("that goes may have been the last denial of its pods", () => {
    const alone = saidOf(reportOf(goes), "policy-opens");
    assert.equal(alone.grade, "high");
    assert.match(alone.text, /if it is the last that denies its pods ingress, everything passes/);
    assert.equal(exitCodeOf(reportOf(goes), "high"), 1);
    assert.match(saidOf(reportOf(child("delete", type, "own", [{}], "")), "policy-opens").text, /the last/);
  });

  it("closes when it goes where another one is seen to deny", () => {
    assert.equal(saidOf(reportOf(goes, baseline("same")), "policy-closes").grade, "medium");
    const successor = child("create", type, "graph-8443-ingress", [undefined, ingress], "");
    assert.equal(saidOf(reportOf(goes, successor), "policy-closes").grade, "medium");
    for (const no of [
      baseline("delete"),
      baseline("same", "other"),
      baseline("same", "shop", { enableDefaultDeny: { ingress: false, egress: false } }),
      baseline("same", "shop", { ingress: undefined }),
    ]) {
      assert.ok(
        findingsOf(reportOf(goes, no)).some(({ id, subject }) => id === "policy-opens" && subject.includes("graph")),
      );
    }
  });

  it("opens when it lets the world in, or gives up what it denied", () => {
    const to = (more: Record<string, unknown>): string => reportOf(changed(type, "own", ingress, spec(more))).grade;
    assert.equal(to({ ingress: [{ fromEntities: ["world"] }] }), "high");
    assert.equal(to({ ingress: [{ fromCIDRSet: [{ cidr: "0.0.0.0/1" }, { cidr: "128.0.0.0/1" }] }] }), "high");
    assert.equal(to({ ingress: [{ toPorts: [{ ports: [{ port: "1" }] }] }] }), "high");
    assert.equal(to({ ingress: [{ fromEndpoints: [{}] }], enableDefaultDeny: { ingress: false } }), "high");
    assert.equal(
      to({ ingress: [{ fromEndpoints: [{}] }], endpointSelector: { matchLabels: { app: "nobody" } } }),
      "high",
    );
    assert.equal(to({ ingress: [{ fromCIDR: ["203.0.113.7/32"] }] }), "medium");
    const denied = (egressDeny: unknown): Record<string, unknown> =>
      spec({ egressDeny, enableDefaultDeny: { egress: false } });
    const metadata = changed(type, "own", denied([{ toCIDR: ["169.254.169.254/32"] }]), denied([]));
    assert.equal(reportOf(metadata).grade, "high");
    const comes = child("create", type, "own", [undefined, spec({ ingress: [{ fromEntities: ["all"] }] })], "");
    assert.equal(reportOf(comes).grade, "high");
  });
});
