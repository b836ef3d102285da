import ipaddr from "ipaddr.js";
import type { Json, JsonBag } from "../core/values";
import type { Field } from "./schema";

/** Fields that several kinds of objects share. */

export const name: Field = { kind: "string", required: true };

export const labels: Field = { kind: "labels", check: checkLabels };

/** The sentence for labels that the API would refuse. */
export function checkLabels(value: Json): string | undefined {
  for (const [key, label] of Object.entries((value ?? {}) as JsonBag)) {
    if (!isLabelKey(key)) return `label key '${key}' is not correctly formatted`;
    if (!/^(|[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]{0,61}[A-Za-z0-9])$/.test(String(label))) {
      return `label value '${String(label)}' (key: ${key}) is not correctly formatted`;
    }
  }
  return undefined;
}

function isLabelKey(key: string): boolean {
  const parts = key.split("/");
  const bare = parts.pop() ?? "";
  const prefixIsFine = parts.length === 0 || (parts.length === 1 && /^[a-z0-9.-]{1,253}$/i.test(parts[0] ?? ""));
  return prefixIsFine && /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(bare);
}

/** A sentence if a text is no CIDR. */
export function checkCidr(value: Json): string | undefined {
  if (typeof value === "string" && ipaddr.isValidCIDR(value)) return undefined;
  return `expected a CIDR such as 10.0.0.0/16, got ${JSON.stringify(value)}: invalid CIDR address: ${String(value)}`;
}

/** The network that a CIDR lies in, host bits cleared: `10.0.1.5/24` is `10.0.1.0/24`. Throws on anything else. */
export function networkCidr(cidr: string): string {
  if (!ipaddr.isValidCIDR(cidr)) throw new Error(`invalid CIDR address: ${cidr}`);
  const [address, bits] = ipaddr.parseCIDR(cidr);
  const range = `${address.toString()}/${bits}`;
  const base = address.kind() === "ipv4" ? ipaddr.IPv4.networkAddressFromCIDR(range) : ipv6Base(range);
  return `${base.toString()}/${bits}`;
}

function ipv6Base(range: string): ipaddr.IPv6 {
  return ipaddr.IPv6.networkAddressFromCIDR(range);
}

/** A firewall rule's address in the API's form: an address alone becomes a CIDR, IPv6 its shortest writing. */
export function ruleCidr(text: string): string {
  if (ipaddr.isValidCIDR(text)) {
    const [address, bits] = ipaddr.parseCIDR(text);
    return `${address.toString()}/${bits}`;
  }
  if (!ipaddr.isValid(text)) return text;
  const address = ipaddr.parse(text);
  return `${address.toString()}/${address.kind() === "ipv4" ? 32 : 128}`;
}

/** `<network id>-<CIDR>`, as subnets and routes are named. Undefined if a text is none. */
export function parseNetworkPart(id: string): { networkId: number; cidr: string } | undefined {
  const match = /^(\d+)-(.+)$/.exec(id);
  const cidr = match?.[2] ?? "";
  return match && ipaddr.isValidCIDR(cidr) ? { networkId: Number(match[1]), cidr: networkCidr(cidr) } : undefined;
}

export const strings = (value: Json | undefined): string[] => (Array.isArray(value) ? value.map(String) : []);
export const numbers = (value: Json | undefined): number[] => (Array.isArray(value) ? value.map(Number) : []);
export const maps = (value: Json | undefined): JsonBag[] => (Array.isArray(value) ? (value as JsonBag[]) : []);
