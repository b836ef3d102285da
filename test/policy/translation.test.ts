import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { app, planServiceGraph } from "../../components/policy/plan";
import { type AgentFilter, filtersOf, judge, type Outcome, type Request } from "./translation";

/** Requests that the article's rule is asked about, and how each must end. */
const requests: [Request, Outcome][] = [
  [{ method: "POST", path: "/v1/transaction" }, "passed"],
  [{ method: "POST", path: "/v1/transaction?id=1" }, "passed"],
  [{ method: "GET", path: "/v1/transaction" }, "403"],
  [{ method: "HEAD", path: "/v1/transaction" }, "403"],
  [{ method: "POST", path: "/v1/transaction/42" }, "403"],
  [{ method: "POST", path: "/v1/transactions" }, "403"],
  [{ method: "POST", path: "/x/v1/transaction" }, "403"],
  [{ method: "POST", path: "/" }, "403"],
];

const frontend = "frontend-selector";
const is = (wanted: string) => (selector: string) => selector === wanted;

/** The article's rule as a graph writes it, in the agent's form. */
function article(more: AgentFilter["l7-rules"] = []): AgentFilter[] {
  const http = [{ method: "POST", path: "/v1/transaction" }];
  const plan = planServiceGraph("shop", {
    namespace: "shop",
    allow: [{ from: app("frontend-proxy"), to: app("backend-api"), port: 8080, http }],
  });
  const ingress = plan.policies.find(({ metadata }) => metadata.name.endsWith("-ingress"))?.spec.ingress as {
    toPorts: { rules: { http: { method: string; path: string }[] } }[];
  }[];
  return [{ port: 8080, protocol: "TCP", "l7-rules": [{ [frontend]: ingress[0]!.toPorts[0]!.rules }, ...more] }];
}

const post = (path: string): Request => ({ method: "POST", path });

describe("requests judged by an agent's translation", () => {
  it("pass for the article's caller, method and path, with any query", () => {
    assert.equal(judge(article(), is(frontend), 8080, post("/v1/transaction")), "passed");
    assert.equal(judge(article(), is(frontend), 8080, post("/v1/transaction?id=1")), "passed");
  });

  it("are answered 403 for another method or path, and matched from the first letter to the last", () => {
    assert.equal(judge(article(), is(frontend), 8080, { method: "GET", path: "/v1/transaction" }), "403");
    for (const wrong of ["/", "/v1/transaction/42", "/v1/transactions", "/x/v1/transaction", "/v2/transaction"]) {
      assert.equal(judge(article(), is(frontend), 8080, post(wrong)), "403", wrong);
    }
  });

  it("are dropped for another caller or another port", () => {
    assert.equal(judge(article(), is("bystander"), 8080, post("/v1/transaction")), "dropped");
    assert.equal(judge(article(), is(frontend), 8081, post("/v1/transaction")), "dropped");
  });

  it("all pass where a rule for the port alone stands beside", () => {
    for (const rules of [null, {}]) {
      const filters = article([{ [frontend]: rules }]);
      assert.equal(judge(filters, is(frontend), 8080, { method: "GET", path: "/" }), "passed");
    }
  });

  it("are dropped where a rule denies, whatever another allows", () => {
    const filters = article([{ [frontend]: { verdict: 1 } }]);
    assert.equal(judge(filters, is(frontend), 8080, post("/v1/transaction")), "dropped");
  });

  it("take the host where a rule has one", () => {
    const filters: AgentFilter[] = [
      { port: 80, protocol: "TCP", "l7-rules": [{ [frontend]: { http: [{ host: "a(:80)?" }] } }] },
    ];
    assert.equal(judge(filters, is(frontend), 80, { ...post("/"), host: "a:80" }), "passed");
    assert.equal(judge(filters, is(frontend), 80, { ...post("/"), host: "b" }), "403");
    assert.equal(judge(filters, is(frontend), 80, post("/")), "403");
  });

  it("come out of what an agent of Cilium 1.20.2 made of the article's rule as the rule says", () => {
    const filters = filtersOf(readFileSync(path.join(__dirname, "agentTranslation.json"), "utf8"), "ingress");
    const caller = (selector: string): boolean => selector.includes("any:node: workload-web-1,");
    const found = requests.map(([request]) => [request, judge(filters, caller, 8080, request)]);
    assert.deepEqual(found, requests);
    const stranger = (selector: string): boolean => selector.includes("any:node: workload-web-2,");
    for (const [request] of requests) assert.equal(judge(filters, stranger, 8080, request), "dropped");
  });

  it("are read out of an endpoint, one direction or the other", () => {
    const rule = JSON.stringify(article()[0]);
    const endpoint = { status: { policy: { spec: { l4: { ingress: [{ rule }], egress: null } } } } };
    const text = JSON.stringify([endpoint]);
    assert.deepEqual(filtersOf(text, "ingress"), JSON.parse(JSON.stringify(article())));
    assert.deepEqual(filtersOf(text, "egress"), []);
  });
});
