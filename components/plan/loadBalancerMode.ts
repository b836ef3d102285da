import type { Encryption, Tunnel } from "./types";

/** How Services answer: dsr where nothing drops what it sends, and nothing of it would go in clear past WireGuard. */
export function plannedMode(sourceCheck: boolean, path: { tunnel: Tunnel; encryption: Encryption }): "snat" | "dsr" {
  return sourceCheck || path.tunnel !== "none" || path.encryption === "wireguard" ? "snat" : "dsr";
}
