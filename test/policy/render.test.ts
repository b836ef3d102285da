import assert from "node:assert/strict";
import { app, planNamespaceBaseline, planServiceGraph, type PolicyObject, renderProblem } from "../../components";
import { needs } from "../capabilities";
import { cachedPolicyCrd, policyValidator } from "./schema";
import { goodEdge, requestEdge } from "./table";

const kubeDns = { matchLabels: { "k8s-app": "kube-dns", "k8s:io.kubernetes.pod.namespace": "kube-system" } };
const dnsPorts = [
  { port: "53", protocol: "UDP" },
  { port: "53", protocol: "TCP" },
];
const dnsRule = { toEndpoints: [kubeDns], toPorts: [{ ports: dnsPorts, rules: { dns: [{ matchPattern: "*" }] } }] };
const harmless = { ingress: false, egress: false };

function specs(policies: PolicyObject[]): Record<string, unknown> {
  return Object.fromEntries(
    policies.map(({ metadata, spec: { description: _description, ...spec } }) => [
      `${metadata.namespace}/${metadata.name}`,
      spec,
    ]),
  );
}

describe("a graph", () => {
  it("writes the article's rule on both sides, across namespaces, with the filter where the target is", () => {
    const { policies, warnings } = planServiceGraph("shop", {
      namespace: "shop",
      covered: [{ namespace: "shop", dnsVisible: true }],
      allow: [requestEdge({ to: app("backend-api", "bank") })],
    });
    assert.deepEqual(warnings, []);
    assert.deepEqual(specs(policies), {
      "shop/shop-frontend-proxy-to-bank-backend-api-8080-egress": {
        endpointSelector: { matchLabels: { app: "frontend-proxy" } },
        egress: [
          {
            toEndpoints: [{ matchLabels: { app: "backend-api", "k8s:io.kubernetes.pod.namespace": "bank" } }],
            toPorts: [{ ports: [{ port: "8080", protocol: "TCP" }] }],
          },
        ],
      },
      "bank/shop-frontend-proxy-to-bank-backend-api-8080-ingress": {
        endpointSelector: { matchLabels: { app: "backend-api" } },
        ingress: [
          {
            fromEndpoints: [{ matchLabels: { app: "frontend-proxy", "k8s:io.kubernetes.pod.namespace": "shop" } }],
            toPorts: [
              {
                ports: [{ port: "8080", protocol: "TCP" }],
                rules: { http: [{ method: "POST", path: "/v1/transaction(\\?.*)?" }] },
              },
            ],
          },
        ],
      },
    });
  });

  it("allows DNS to sources whose namespace has no baseline, unless an edge says what they may look up", () => {
    const own = { from: app("web"), to: { labels: { "k8s-app": "kube-dns" }, namespace: "kube-system" }, port: 53 };
    const { policies } = planServiceGraph("shop", {
      namespace: "shop",
      allow: [
        goodEdge(),
        { ...own, protocol: "UDP", dns: ["*.example.com", "example.com"] },
        goodEdge({ from: app("web") }),
      ],
    });
    const egress = policies.filter(({ spec }) => spec.egress).map(({ spec }) => spec.egress as { toPorts: object[] }[]);
    assert.deepEqual(egress[0]?.[1], dnsRule);
    assert.deepEqual(
      egress[1]?.map(({ toPorts }) => toPorts),
      [
        [
          {
            ports: [{ port: "53", protocol: "UDP" }],
            rules: { dns: [{ matchPattern: "*.example.com" }, { matchName: "example.com" }] },
          },
        ],
      ],
    );
    assert.equal(egress[2]?.length, 1);
    assert.ok(!policies.some(({ metadata }) => metadata.namespace === "kube-system"), "DNS stays open to everybody");
  });

  it("writes the one side that is pods, with the filter there", () => {
    const { policies } = planServiceGraph("shop", {
      namespace: "shop",
      l7Proxy: true,
      covered: [{ namespace: "shop", dnsVisible: true }],
      allow: [
        requestEdge({ to: { fqdns: ["api.example.com"] }, port: 80 }),
        goodEdge({
          from: { entities: ["ingress", "world"] },
          port: undefined,
          ports: [{ port: 80 }, { port: 90, endPort: 99 }],
        }),
        goodEdge({ from: { all: true }, to: { cidrs: ["198.51.100.0/24"] }, port: 0, protocol: "ANY" }),
      ],
    });
    assert.deepEqual(specs(policies), {
      "shop/shop-frontend-proxy-to-api-example-com-80-egress": {
        endpointSelector: { matchLabels: { app: "frontend-proxy" } },
        egress: [
          {
            toFQDNs: [{ matchName: "api.example.com" }],
            toPorts: [
              {
                ports: [{ port: "80", protocol: "TCP" }],
                rules: { http: [{ method: "POST", path: "/v1/transaction(\\?.*)?" }] },
              },
            ],
          },
        ],
      },
      "shop/shop-ingress-world-to-backend-api-80-ingress": {
        endpointSelector: { matchLabels: { app: "backend-api" } },
        ingress: [
          {
            fromEntities: ["ingress", "world"],
            toPorts: [
              {
                ports: [
                  { port: "80", protocol: "TCP" },
                  { port: "90", endPort: 99, protocol: "TCP" },
                ],
              },
            ],
          },
        ],
      },
      "shop/shop-all-to-198-51-100-0-24-0-any-egress": {
        endpointSelector: {},
        egress: [{ toCIDR: ["198.51.100.0/24"], toPorts: [{ ports: [{ port: "0", protocol: "ANY" }] }] }],
      },
    });
  });

  it("lets every request and every lookup through in audit, and says so", () => {
    const plan = planServiceGraph("shop", { namespace: "shop", audit: true, allow: [requestEdge()] });
    const [egress, ingress] = plan.policies.map(({ spec }) => spec);
    assert.deepEqual([egress?.enableDefaultDeny, ingress?.enableDefaultDeny], [harmless, harmless]);
    const [rule] = ingress?.ingress as [{ toPorts: [{ rules: unknown }] }];
    assert.deepEqual(rule.toPorts[0].rules, { http: [{ method: "POST", path: "/v1/transaction(\\?.*)?" }, {}] });
    assert.match(plan.decisions[0]?.why ?? "", /denies nothing/);
  });

  it("names what a filter of requests costs, and only there", () => {
    const costs = (http: boolean): number =>
      planServiceGraph("shop", { namespace: "shop", allow: [http ? requestEdge() : goodEdge()] }).decisions.filter(
        ({ why }) => why.includes("% of its requests"),
      ).length;
    assert.deepEqual([costs(true), costs(false)], [1, 0]);
  });

  it("takes edges that come near to a rule and keep it", () => {
    const { warnings } = planServiceGraph("shop", {
      namespace: "shop",
      allow: [
        requestEdge(),
        goodEdge({ from: app("other") }),
        goodEdge({ protocol: "UDP" }),
        goodEdge({ port: 8081 }),
        goodEdge({ to: app("backend-api", "other") }),
        goodEdge({ to: app("metrics", "kube-system") }),
        goodEdge({ from: app("web"), http: [{ method: "GET|HEAD", path: "/items" }] }),
        goodEdge({ from: app("seo"), http: [{ method: "GET" }, { method: "HEAD" }] }),
        goodEdge({
          from: { labels: { app: "long" } },
          port: undefined,
          ports: Array.from({ length: 40 }, (_, i) => ({ port: i + 1 })),
        }),
      ],
    });
    assert.deepEqual(warnings.map(renderProblem), []);
  });
});

describe("a baseline", () => {
  it("denies both ways in one policy, the last, and allows in others that deny nothing", () => {
    const { policies, warnings } = planNamespaceBaseline("shop", {
      namespace: "shop",
      egress: [{ fqdns: ["api.example.com", "*.example.org"] }, { fqdns: ["db.example.com"], port: 5432 }],
    });
    assert.deepEqual(warnings, []);
    assert.deepEqual(specs(policies), {
      "shop/shop-allow-dns": { endpointSelector: {}, egress: [dnsRule], enableDefaultDeny: harmless },
      "shop/shop-allow-destinations": {
        endpointSelector: {},
        egress: [
          {
            toFQDNs: [{ matchName: "api.example.com" }, { matchPattern: "*.example.org" }],
            toPorts: [{ ports: [{ port: "443", protocol: "TCP" }] }],
          },
          {
            toFQDNs: [{ matchName: "db.example.com" }],
            toPorts: [{ ports: [{ port: "5432", protocol: "TCP" }] }],
          },
        ],
        enableDefaultDeny: harmless,
      },
      "shop/shop-deny-metadata": {
        endpointSelector: {},
        egressDeny: [{ toCIDR: ["169.254.169.254/32"] }],
        enableDefaultDeny: harmless,
      },
      "shop/shop-default-deny": { endpointSelector: {}, ingress: [{}], egress: [{}] },
    });
    assert.equal(policies.at(-1)?.metadata.name, "shop-default-deny");
  });

  it("has neither a denial nor a default one in audit", () => {
    const { policies } = planNamespaceBaseline("shop", { namespace: "shop", audit: true });
    assert.deepEqual(
      policies.map(({ metadata, spec }) => [metadata.name, spec.enableDefaultDeny]),
      [
        ["shop-allow-dns", harmless],
        ["shop-default-deny", harmless],
      ],
    );
  });

  it("allows DNS by ports alone where lookups are not to pass a proxy, or none is there", () => {
    for (const args of [{ dns: { visible: false } }, { l7Proxy: false }]) {
      const { policies } = planNamespaceBaseline("shop", { namespace: "shop", ...args });
      assert.deepEqual(policies[0]?.spec.egress, [{ toEndpoints: [kubeDns], toPorts: [{ ports: dnsPorts }] }]);
      assert.ok(!JSON.stringify(policies).includes("rules"));
    }
  });

  it("finds DNS where it is said to be", () => {
    const dns = { namespace: "dns", labels: { app: "unbound" } };
    const [policy] = planNamespaceBaseline("shop", { namespace: "shop", dns }).policies;
    const [rule] = policy?.spec.egress as [{ toEndpoints: unknown }];
    assert.deepEqual(rule.toEndpoints, [{ matchLabels: { app: "unbound", "k8s:io.kubernetes.pod.namespace": "dns" } }]);
  });
});

describe("the schema of Cilium's policies", () => {
  it("takes baselines, and refuses what is damaged", function () {
    needs(this, "cilium-crds");
    const valid = policyValidator(cachedPolicyCrd()!);
    for (const args of [{}, { audit: true }, { l7Proxy: false }, { egress: [{ fqdns: ["**.example.com"] }] }])
      for (const policy of planNamespaceBaseline("shop", { namespace: "shop", ...args }).policies)
        assert.ok(valid(policy), JSON.stringify(valid.errors));
    const [good] = planServiceGraph("shop", { namespace: "shop", allow: [requestEdge()] }).policies;
    assert.ok(good && valid(good));
    for (const spec of [
      { ...good.spec, egress: undefined },
      { ...good.spec, endpointSelector: undefined },
      { ...good.spec, toPorts: [] },
      { ...good.spec, egress: [{ toEntities: ["nobody"] }] },
      { ...good.spec, egress: [{ toPorts: [{ ports: Array.from({ length: 41 }, () => ({ port: "1" })) }] }] },
    ])
      assert.ok(!valid(JSON.parse(JSON.stringify({ ...good, spec }))), JSON.stringify(spec));
  });
});
