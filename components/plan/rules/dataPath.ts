import { imagesWith, kernelOlder, podBbrKernel } from "../kernels";
import { at } from "../merge";
import { resolveDataPath, resolveTuning } from "../resolve";
import { capabilitiesOf, hetznerOf, mtuOf } from "../underlay";
import { ciliumOf, textAt } from "./ciliumValues";
import { imageOf } from "./image";
import { dispatchProblem, pathOf } from "./packetPath";
import { findingIf, type Rule } from "./rule";

/** A page of 4096 bytes, less what a driver keeps before and after the packet (Cilium documentation, XDP acceleration). */
const largestXdpMtu = 3498;

/** Rules about how packets go: load balancing, kernels, offloads. */
export const dataPathRules: Rule[] = [
  {
    id: "dsr-needs-unchecked-sources",
    acceptable: true,
    why: "With DSR the backend's node answers with another address as source, and the cloud's gateway drops what is not a node's own.",
    check: (subject) => {
      const mode = at(ciliumOf(subject).values, "loadBalancer.mode");
      const { sourceCheck, words } = capabilitiesOf(subject.args);
      return findingIf(
        sourceCheck && (mode === "dsr" || mode === "hybrid"),
        "cilium.values.loadBalancer.mode",
        `${String(mode)} needs an underlay without source checks; ${words} drop it`,
        "use snat, or externalTrafficPolicy: Local",
      );
    },
  },
  {
    id: "auto-routes-need-one-segment",
    acceptable: true,
    why: "Cilium refuses a route to a peer whose next hop is a gateway, and on this underlay every peer is behind one.",
    check: (subject) => {
      const { values } = ciliumOf(subject);
      const { nextHop } = capabilitiesOf(subject.args);
      return ["autoDirectNodeRoutes", "directRoutingSkipUnreachable"].flatMap((key) =>
        findingIf(
          nextHop === "gateway" && at(values, key) === true,
          `cilium.values.${key}`,
          `${key} needs nodes on one segment; ${hetznerOf(subject.args) ? "on Hetzner Cloud" : "here"} a gateway is between them`,
          "leave it out: the network's routes carry the pod CIDRs",
        ),
      );
    },
  },
  {
    id: "auto-routes-need-native",
    acceptable: false,
    why: "Cilium's agent refuses to start with routes to nodes' pods that a tunnel carries, or with parts of those that are not made.",
    check: (subject) => {
      const { values } = ciliumOf(subject);
      const native = pathOf(subject).routing === "native";
      const planned = capabilitiesOf(subject.args).nextHop === "direct" && pathOf(subject).tunnel === "none";
      const direct = at(values, "autoDirectNodeRoutes") ?? planned;
      return [
        ...findingIf(
          direct === true && !native,
          "cilium.values.autoDirectNodeRoutes",
          "true needs native routing, and pods' packets go through a tunnel",
          "leave it out",
        ),
        ...findingIf(
          at(values, "directRoutingSkipUnreachable") === true && direct !== true,
          "cilium.values.directRoutingSkipUnreachable",
          "true needs autoDirectNodeRoutes, which is off",
          "leave it out",
        ),
      ];
    },
  },
  {
    id: "masquerade-needs-bpf",
    acceptable: true,
    why: "Without it Cilium falls back to legacy host routing, and with that BBR in pods and the fast path are gone.",
    check: (subject) => {
      const { values } = ciliumOf(subject);
      return [
        { key: "bpf.masquerade", harm: false },
        { key: "enableIPv4Masquerade", harm: false },
        { key: "bpf.hostLegacyRouting", harm: true },
      ].flatMap(({ key, harm }) =>
        findingIf(
          at(values, key) === harm,
          `cilium.values.${key}`,
          `${String(harm)} takes packets through the host's stack instead of BPF`,
          "leave it out",
        ),
      );
    },
  },
  {
    id: "dsr-dispatch",
    acceptable: false,
    why: "Cilium's agent refuses to start with a dispatch that the nodes' routing cannot carry.",
    check: (subject) => {
      const path = pathOf(subject);
      if (path.mode !== "dsr" && path.mode !== "hybrid") return [];
      const { message, fix } = dispatchProblem(path) ?? {};
      return findingIf(message !== undefined, "cilium.values.loadBalancer.dsrDispatch", message ?? "", fix ?? "");
    },
  },
  {
    id: "no-conntrack-needs-native",
    acceptable: false,
    why: "Cilium's agent refuses to start: these iptables rules are for native routing, with Services and masquerading by BPF.",
    check: (subject) => {
      const { values } = ciliumOf(subject);
      const { tunnel } = pathOf(subject);
      const given = at(values, "installNoConntrackIptablesRules");
      if (given === false) return [];
      if (tunnel !== "none" && at(values, "routingMode") === undefined)
        return findingIf(
          given === true,
          "cilium.values.installNoConntrackIptablesRules",
          `true does not go with network.tunnel ${tunnel}, whose packets pass the host's stack`,
          "leave it out",
        );
      const wanted = {
        routingMode: "native",
        kubeProxyReplacement: "true",
        ...(at(values, "enableIPv4Masquerade") === false ? {} : { "bpf.masquerade": "true" }),
      };
      return Object.entries(wanted).flatMap(([key, value]) => {
        const given = textAt(values, key);
        return findingIf(
          given !== undefined && given !== value,
          `cilium.values.${key}`,
          `${given ?? ""} does not go with installNoConntrackIptablesRules, which the plan sets`,
          `leave it at ${value}, or set installNoConntrackIptablesRules: false`,
        );
      });
    },
  },
  {
    id: "ipv6-not-built",
    acceptable: false,
    why: "The plan gives nodes and pods IPv4 addresses alone, and the cloud's private networks have no others.",
    check: (subject) =>
      ["ipv6.enabled", "k8s.requireIPv6PodCIDR"].flatMap((key) =>
        findingIf(
          at(ciliumOf(subject).values, key) === true,
          `cilium.values.${key}`,
          "the cluster has no IPv6 yet: no node would get a pod CIDR for it, and Cilium would wait for one",
          "leave it out",
        ),
      ),
  },
  {
    id: "bbr-needs-kernel",
    acceptable: false,
    why: "Before kernel 5.18 a packet loses its departure time between pod and node, and Cilium's agent refuses BBR in pods.",
    check: (subject) => {
      const { image, kernel } = imageOf(subject);
      return findingIf(
        resolveTuning(subject.args).bbr === "node-and-pod" && kernel !== undefined && kernelOlder(kernel, podBbrKernel),
        "tuning.bbr",
        `node-and-pod needs kernel ${podBbrKernel} or newer, and ${image} has ${kernel ?? ""}`,
        `set underlay.image to ${imagesWith(podBbrKernel).join(" or ")}, or tuning.bbr to "node"`,
      );
    },
  },
  {
    id: "bbr-needs-bpf-routing",
    acceptable: false,
    why: "On its way through the host's stack a packet loses its socket, and with it the pace that BBR set.",
    check: (subject) => {
      const { values } = ciliumOf(subject);
      return [
        { key: "bpf.masquerade", harm: false },
        { key: "bpf.hostLegacyRouting", harm: true },
      ].flatMap(({ key, harm }) =>
        findingIf(
          at(values, key) === harm && resolveTuning(subject.args).bbr === "node-and-pod",
          `cilium.values.${key}`,
          `BBR in pods needs host routing by BPF, and ${String(harm)} takes it away`,
          'leave it out, or set tuning.bbr to "node"',
        ),
      );
    },
  },
  {
    id: "bbr-without-ipsec",
    acceptable: false,
    why: "With IPsec Cilium leaves its bandwidth manager off and says so in a log alone, so pods would not have BBR.",
    check: (subject) => {
      const { values } = ciliumOf(subject);
      // The chart's own type is ipsec.
      const ipsec = at(values, "encryption.enabled") === true && (at(values, "encryption.type") ?? "ipsec") === "ipsec";
      return findingIf(
        ipsec && resolveTuning(subject.args).bbr === "node-and-pod",
        "cilium.values.encryption.type",
        "IPsec switches off the bandwidth manager, which BBR in pods needs",
        'use wireguard, or set tuning.bbr to "node"',
      );
    },
  },
  {
    id: "xdp-needs-real-nic",
    acceptable: true,
    why: "The nodes' NICs are virtio: they have few queues to spare for XDP, and on some hosts Cilium's agent does not start.",
    check: (subject) =>
      findingIf(
        at(ciliumOf(subject).values, "loadBalancer.acceleration") === "native",
        "cilium.values.loadBalancer.acceleration",
        "native asks every NIC for XDP, which virtio gives slowly or not at all",
        'leave it out, and set network.xdp to "best-effort" where you want it',
      ),
  },
  {
    id: "xdp-past-wireguard",
    acceptable: true,
    why: "What XDP sends on to another node leaves from the NIC's driver, before WireGuard, so it travels in clear.",
    check: ({ args }) => {
      const { encryption, xdp } = resolveDataPath(args.network);
      return findingIf(
        encryption === "wireguard" && xdp !== "disabled",
        "network.xdp",
        `${xdp} sends requests to Services on to other nodes past WireGuard`,
        "leave it out, or network.encryption",
      );
    },
  },
  {
    id: "xdp-needs-small-packets",
    acceptable: true,
    why: "XDP sees a packet as one page of memory, so drivers refuse it on NICs of more than 3498 bytes, and best effort then is none.",
    check: ({ args }) =>
      findingIf(
        resolveDataPath(args.network).xdp !== "disabled" && mtuOf(args) > largestXdpMtu,
        "network.xdp",
        `a network of ${mtuOf(args)} bytes is more than the ${largestXdpMtu} that XDP takes`,
        "leave it out, or lower the MTU of the NICs and underlay.mtu",
      ),
  },
  {
    id: "big-tcp-needs-real-nic",
    acceptable: true,
    why: "BIG TCP is for NICs whose drivers take packets past 64 KiB (mlx4, mlx5, ice); virtio's takes none, and it was measured slower there.",
    check: (subject) =>
      ["enableIPv4BIGTCP", "enableIPv6BIGTCP"].flatMap((key) =>
        findingIf(
          at(ciliumOf(subject).values, key) === true,
          `cilium.values.${key}`,
          "the nodes' NICs are virtio, whose driver takes no packets past 64 KiB",
          "leave it out",
        ),
      ),
  },
];
