import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { judge } from "../../components/doctor/checks";
import { readCloudRoutes } from "../../components/doctor/cloud";
import { expectationOf } from "../../components/doctor/expectation";
import type { Expectation } from "../../components/doctor/types";
import { planCluster } from "../../components/plan";
import { namedClusters } from "../plan/clusters";
import { changed, expectation } from "./fixtures";

const route = { destination: "10.244.2.0/24", gateway: "10.0.0.2" };
const office = { id: 4711, name: "office", routes: [route] };

describe("the routes of a network", () => {
  let server: Server;
  let endpoint: string;
  before(async () => {
    server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://cloud");
      const body =
        pathname === "/v1/networks"
          ? { networks: searchParams.get("name") === "office" ? [office] : [] }
          : pathname === "/v1/networks/4711"
            ? { network: office }
            : undefined;
      response.writeHead(body ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(body ?? {}));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  });
  after(() => new Promise((resolve) => server.close(resolve)));

  const read = async (networkName: string) => {
    const seen = await readCloudRoutes({ token: "t", endpoint, networkName }, new AbortController().signal);
    return "value" in seen ? [seen.value.found, seen.value.routes] : seen.unseen;
  };

  it("are read by the network's name or its number", async () => {
    assert.deepEqual(await read("office"), [true, [route]]);
    assert.deepEqual(await read("4711"), [true, [route]]);
  });

  it("are none of a network that is not there", async () => {
    assert.deepEqual(await read("home"), [false, []]);
    assert.deepEqual(await read("4712"), [false, []]);
  });
});

describe("routes of others", () => {
  const leftover = (wanted: Partial<Expectation["cloudRoutes"]>, destination: string): string[] => {
    const base = expectation();
    return judge(
      { ...base, cloudRoutes: { ...base.cloudRoutes!, ...wanted } },
      changed((e) => {
        assert.ok("value" in e.cloud);
        e.cloud.value.routes.push({ destination, gateway: "10.0.0.9" });
      }),
    )
      .filter(({ outcome }) => outcome === "failed")
      .map(({ found }) => found);
  };

  it("are left alone where they were told of, and found where they were not", () => {
    assert.deepEqual(leftover({}, "10.200.0.0/16"), ["10.200.0.0/16 via 10.0.0.9"]);
    assert.deepEqual(leftover({ others: ["10.200.0.0/16"] }, "10.200.0.0/16"), []);
    assert.deepEqual(leftover({ others: ["10.200.0.0/16"] }, "10.201.0.0/16"), ["10.201.0.0/16 via 10.0.0.9"]);
  });

  it("are theirs in a network of others, unless they lead to pods' addresses", () => {
    const within = { within: "10.244.0.0/16" };
    assert.deepEqual(leftover(within, "10.201.0.0/16"), []);
    assert.deepEqual(leftover(within, "10.244.9.0/24"), ["10.244.9.0/24 via 10.0.0.9"]);
  });

  it("are part of what a plan in a network of others wants", () => {
    const { cloudRoutes } = expectationOf(planCluster("prod", namedClusters["in-a-shared-network"]!));
    const { routes, ...rest } = cloudRoutes!;
    assert.deepEqual(rest, { networkName: "office", others: ["0.0.0.0/0", "10.200.0.0/16"], within: "10.244.0.0/16" });
    assert.deepEqual(routes.at(-1), { destination: "10.244.41.0/24", gateway: "10.10.0.41" });
  });
});
