import { at, leafPaths } from "../merge";
import { resolveDataPath } from "../resolve";
import { plannedValues } from "../plannedValues";
import { ciliumOf } from "./ciliumValues";
import { findingIf, type Rule } from "./rule";

/** Rules about encryption between nodes. */
export const encryptionRules: Rule[] = [
  {
    id: "dsr-past-wireguard",
    acceptable: true,
    why: "With DSR a node sends a Service's request on to the backend's node past WireGuard, in clear, unless Geneve carries it.",
    check: (subject) => {
      const { values } = ciliumOf(subject);
      const mode = at(values, "loadBalancer.mode");
      return findingIf(
        resolveDataPath(subject.args.network).encryption === "wireguard" &&
          (mode === "dsr" || mode === "hybrid") &&
          at(values, "loadBalancer.dsrDispatch") !== "geneve",
        "cilium.values.loadBalancer.mode",
        `${String(mode)} sends requests to Services from node to node in clear, beside network.encryption: wireguard`,
        "leave it out for snat, or use dsrDispatch: geneve",
      );
    },
  },
  {
    id: "encryption-off",
    acceptable: false,
    why: "Settings of an encryption that is off would look as if something was encrypted.",
    check: (subject) => {
      if (resolveDataPath(subject.args.network).encryption !== "none") return [];
      const own = leafPaths(ciliumOf(subject).values).filter((path) => path.startsWith("encryption."));
      // Where the encryption itself is overridden, that is judged by itself, and the settings are its own.
      if (own.some((path) => Object.keys(plannedValues).some((key) => path === key || path.startsWith(`${key}.`))))
        return [];
      return own.map((path) => ({
        path: `cilium.values.${path}`,
        message: "nothing is encrypted, so it does nothing",
        fix: 'set network.encryption to "wireguard", or leave it out',
      }));
    },
  },
];
