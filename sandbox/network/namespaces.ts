import { run, succeeds } from "../run";

/** Creates a network namespace with its loopback up, unless it exists. */
export async function ensureNamespace(name: string): Promise<void> {
  if (await succeeds("ip", ["netns", "exec", name, "true"])) return;
  await run("ip", ["netns", "add", name]);
  await ip(name, "link set lo up");
}

/** Removes a network namespace if it exists; interfaces in it vanish with their peers. */
export async function removeNamespace(name: string): Promise<void> {
  if ((await listNamespaces()).includes(name)) await run("ip", ["netns", "delete", name]);
}

/** Names of the host's network namespaces. */
export async function listNamespaces(): Promise<string[]> {
  const lines = await run("ip", ["netns", "list"]);
  return lines.split("\n").flatMap((line) => line.split(" ")[0] || []);
}

/** Runs `ip` with space-separated words inside a namespace. */
export async function ip(namespace: string, words: string): Promise<string> {
  return run("ip", ["-n", namespace, ...words.split(" ")]);
}

/** Whether an interface exists in a namespace. */
export async function hasLink(namespace: string, link: string): Promise<boolean> {
  return succeeds("ip", ["-n", namespace, "link", "show", "dev", link]);
}

/** Loads nftables rules, whole or not at all, inside a namespace. */
export async function loadRules(namespace: string, rules: string): Promise<void> {
  await run("ip", ["netns", "exec", namespace, "nft", "-f", "-"], rules);
}

/** Makes a namespace a router: IPv4 forwarding on, no redirects, sources checked by our rules instead of rp_filter. */
export async function makeRouter(namespace: string): Promise<void> {
  const keys = [
    "net.ipv4.ip_forward=1",
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
    "net.ipv4.conf.all.send_redirects=0",
    "net.ipv4.conf.default.send_redirects=0",
  ];
  await run("ip", ["netns", "exec", namespace, "sysctl", "-qw", ...keys]);
}
