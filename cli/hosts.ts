import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import pRetry from "p-retry";
import { stringify } from "yaml";
import { newKeyPair } from "../components/node/keys";
import type { HostArgs, HostsUnderlayArgs } from "../components/plan";
import type { Engine } from "./engine";

/** Where the sandbox's machines come from. `hosts-l2` and `hosts-routed` are handed over as existing ones, with an address and a key. */
export const underlayNames = ["hetzner", "hosts-l2", "hosts-routed"] as const;
export type UnderlayName = (typeof underlayNames)[number];

/** Existing machines, as their owner would describe them. */
export interface Hosts {
  underlay: HostsUnderlayArgs;
  /** File with the private key that they let in. */
  keyFile: string;
}

/** Range of the machines' private addresses, and the part of it that Services of type LoadBalancer get. */
const nodeSubnet = "10.20.0.0/24";
const serviceAddresses = "10.20.0.192/27";

/** Label by which the emulated cloud makes a network one segment instead of a routed network. */
const segmentLabel = { "sandbox/segment": "l2" };

interface Server {
  id: number;
  name: string;
  public_net: { ipv4: { ip: string } };
  private_net: { ip: string }[];
}

/**
 * Makes machines that stand for existing ones, unless they are there, and describes them. The library sees addresses, a key and host keys.
 * @param keys last parts of the nodes' names, e.g. `web-1`
 * @param image system image of new ones
 */
export async function ensureHosts(engine: Engine, kind: UnderlayName, keys: string[], image: string): Promise<Hosts> {
  const { name, stateDir } = engine.instance;
  const segment = kind === "hosts-l2" ? "l2" : "routed";
  const [keyFile, keyId] = await ensureKey(engine, path.join(stateDir, "hosts-key"));
  const networkId = await ensureNetwork(engine, segment);
  const known = await readHostKeys(stateDir);
  const machines: Record<string, HostArgs> = {};
  for (const key of keys) {
    const server = `${name}-${key}`;
    const found = await findServer(engine, server);
    if (!found) {
      const pair = newKeyPair("ed25519");
      known[key] = pair.public.split(" ").slice(0, 2).join(" ");
      await keepHostKeys(stateDir, known);
      await ask(engine, "POST", "/servers", {
        ...{ name: server, server_type: "ccx13", image, location: "fsn1", ssh_keys: [keyId], networks: [networkId] },
        user_data: userData(pair.private),
      });
    }
    const hostKey = known[key];
    if (hostKey === undefined) throw new Error(`the host key of ${server} is not known; end the sandbox with down`);
    const { publicAddress, privateAddress } = await attached(engine, server);
    // A machine of the sandbox sees the CPUs of its host.
    machines[key] = { address: publicAddress, privateAddress, hostKey, cpus: os.cpus().length, memoryGiB: 4 };
  }
  return { underlay: describe(segment, machines), keyFile };
}

function describe(segment: "l2" | "routed", machines: Record<string, HostArgs>): HostsUnderlayArgs {
  const common = { kind: "hosts", segment, nodeSubnet, privateInterface: "enp7s0", machines } as const;
  return segment === "l2" ? { ...common, serviceAddresses } : { ...common, mtu: 1450 };
}

/** What a provider's image does at first boot; the host key is known from outside. */
function userData(hostKey: string): string {
  const document = {
    disable_root: false,
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: hostKey },
    ssh_pwauth: false,
  };
  return `#cloud-config\n${stringify(document)}`;
}

async function ensureKey(engine: Engine, file: string): Promise<[string, number]> {
  const name = `${engine.instance.name}-hosts`;
  const { ssh_keys: keys } = await ask<{ ssh_keys: { id: number }[] }>(engine, "GET", `/ssh_keys?name=${name}`);
  if (keys[0] && existsSync(file)) return [file, keys[0].id];
  const pair = newKeyPair("ed25519");
  await writeFile(file, pair.private, { mode: 0o600 });
  const body = { name, public_key: pair.public };
  return [file, (await ask<{ ssh_key: { id: number } }>(engine, "POST", "/ssh_keys", body)).ssh_key.id];
}

async function ensureNetwork(engine: Engine, segment: "l2" | "routed"): Promise<number> {
  const name = `${engine.instance.name}-hosts`;
  const { networks } = await ask<{ networks: { id: number }[] }>(engine, "GET", `/networks?name=${name}`);
  if (networks[0]) return networks[0].id;
  const made = await ask<{ network: { id: number } }>(engine, "POST", "/networks", {
    name,
    ip_range: nodeSubnet,
    labels: segment === "l2" ? segmentLabel : {},
    subnets: [{ type: "cloud", network_zone: "eu-central", ip_range: nodeSubnet }],
  });
  return made.network.id;
}

async function findServer(engine: Engine, name: string): Promise<Server | undefined> {
  return (await ask<{ servers: Server[] }>(engine, "GET", `/servers?name=${name}`)).servers[0];
}

/** Addresses of a machine, once it has both. */
function attached(engine: Engine, name: string): Promise<{ publicAddress: string; privateAddress: string }> {
  return pRetry(
    async () => {
      const server = await findServer(engine, name);
      const privateAddress = server?.private_net[0]?.ip;
      if (!server || privateAddress === undefined) throw new Error(`${name} gets no address on the private network`);
      return { publicAddress: server.public_net.ipv4.ip, privateAddress };
    },
    { retries: 100, minTimeout: 100, maxTimeout: 300 },
  );
}

const hostKeysFile = "host-keys.json";

async function readHostKeys(stateDir: string): Promise<Record<string, string>> {
  const file = path.join(stateDir, hostKeysFile);
  return existsSync(file) ? (JSON.parse(await readFile(file, "utf8")) as Record<string, string>) : {};
}

async function keepHostKeys(stateDir: string, keys: Record<string, string>): Promise<void> {
  const file = path.join(stateDir, hostKeysFile);
  await writeFile(`${file}.new`, JSON.stringify(keys));
  await rename(`${file}.new`, file);
}

async function ask<Answer>(engine: Engine, method: string, where: string, body?: object): Promise<Answer> {
  const response = await fetch(`${engine.env.HCLOUD_ENDPOINT}${where}`, {
    method,
    headers: { authorization: `Bearer ${engine.env.HCLOUD_TOKEN}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the emulated cloud answered ${response.status} to ${method} ${where}: ${text}`);
  return JSON.parse(text) as Answer;
}
