import pRetry from "p-retry";
import type { ClusterPlan } from "../components/plan";
import type { Engine } from "./engine";
import { plannedCluster } from "./stackConfig";

/** An object of a cluster in the cloud, as the state would name it. */
export interface CloudObject {
  /** Pulumi type. */
  type: string;
  /** Logical name, equal to the name in the cloud; subnets and routes have none there and take the plan's. */
  name: string;
  /** Id as the provider writes it. */
  id: string;
}

interface Named {
  id: number;
  name: string;
}

interface Network extends Named {
  subnets: { ip_range: string }[];
  routes: { destination: string; gateway: string }[];
}

interface Server extends Named {
  /** Whether the cloud still works on it. */
  locked: boolean;
}

/** Lists everything of a cluster that the cloud has, by its label, once the cloud has ended what it was asked for. */
export async function listCloud(engine: Engine, cluster: string): Promise<CloudObject[]> {
  const plan = await plannedCluster(engine, cluster);
  const list = <Item>(kind: string): Promise<Item[]> => listAll<Item>(engine, kind, `zerosteal/cluster==${cluster}`);
  await pRetry(
    async () => {
      const busy = (await list<Server>("servers")).filter((server) => server.locked).map((server) => server.name);
      if (busy.length > 0) throw new Error(`the cloud works on ${busy.join(", ")} for over a minute; try again later`);
    },
    { retries: 60, minTimeout: 1000, maxTimeout: 1000 },
  );
  const [networks, servers, firewalls, keys, groups] = await Promise.all([
    list<Network>("networks"),
    list<Server>("servers"),
    list<Named>("firewalls"),
    list<Named>("ssh_keys"),
    list<Named>("placement_groups"),
  ]);
  return [
    ...networks.map((item) => object("network:Network", item)),
    ...firewalls.map((item) => object("firewall:Firewall", item)),
    ...keys.map((item) => object("sshKey:SshKey", item)),
    ...groups.map((item) => object("placementGroup:PlacementGroup", item)),
    ...servers.map((item) => object("server:Server", item)),
    ...networks.flatMap((network) => partsOf(network, plan)),
  ];
}

/** Subnets and routes have neither labels nor names: the plan gives them theirs, and a route that it lacks is somebody else's. */
function partsOf(network: Network, plan: ClusterPlan): CloudObject[] {
  const subnets = network.subnets.map(({ ip_range: range }) => ({
    type: "hcloud:index/networkSubnet:NetworkSubnet",
    name: `${plan.name}-nodes`,
    id: `${network.id}-${range}`,
  }));
  const routes = network.routes.flatMap(({ destination, gateway }) => {
    const node = plan.nodes.find(({ route }) => route?.destination === destination && route.gateway === gateway);
    const type = "hcloud:index/networkRoute:NetworkRoute";
    return node ? [{ type, name: node.name, id: `${network.id}-${destination}` }] : [];
  });
  return [...subnets, ...routes];
}

function object(type: string, { id, name }: Named): CloudObject {
  return { type: `hcloud:index/${type}`, name, id: String(id) };
}

async function listAll<Item>(engine: Engine, kind: string, selector: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let page: number | null = 1; page !== null;) {
    const query = new URLSearchParams({ label_selector: selector, per_page: "50", page: String(page) });
    const response = await fetch(`${engine.env.HCLOUD_ENDPOINT}/${kind}?${query.toString()}`, {
      headers: { authorization: `Bearer ${engine.env.HCLOUD_TOKEN}` },
    });
    if (!response.ok) throw new Error(`the cloud's API answered ${response.status} to the list of ${kind}`);
    const body = (await response.json()) as Record<string, Item[]> & {
      meta: { pagination: { next_page: number | null } };
    };
    items.push(...(body[kind] ?? []));
    page = body.meta.pagination.next_page;
  }
  return items;
}
