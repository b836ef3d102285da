import { imagesWith, kernelOlder, netkitKernel } from "../kernels";
import { at } from "../merge";
import { hetznerOf, netkitOf } from "../underlay";
import { ciliumOf } from "./ciliumValues";
import { imageOf } from "./image";
import { findingIf, type Rule } from "./rule";

/** Rules about netkit, the pods' kind of device that passes over the queue between pod and node. */
export const netkitRules: Rule[] = [
  {
    id: "netkit-needs-kernel",
    acceptable: false,
    why: "netkit came with kernel 6.8; on an older one Cilium's agent cannot make a pod's device.",
    check: (subject) => {
      const { image, kernel } = imageOf(subject);
      const netkit = netkitOf(subject.args);
      return findingIf(
        netkit !== undefined && kernel !== undefined && kernelOlder(kernel, netkitKernel),
        netkit?.path ?? "",
        `${netkit?.mode ?? ""} needs kernel ${netkitKernel} or newer, and ${image} has ${kernel ?? ""}`,
        `set underlay.image to ${imagesWith(netkitKernel).join(" or ")}, or leave it out`,
      );
    },
  },
  {
    id: "kernel-unknown",
    acceptable: true,
    why: "A choice needs a certain kernel, and which one a snapshot or an unlisted image has is not known before it boots.",
    check: (subject) => {
      const { image, kernel } = imageOf(subject);
      const netkit = netkitOf(subject.args);
      return findingIf(
        netkit !== undefined && kernel === undefined && hetznerOf(subject.args) !== undefined,
        "underlay.image",
        `${netkit?.mode ?? ""} needs kernel ${netkitKernel} or newer, and that of ${image} is not known here`,
        `look it up, or use ${imagesWith(netkitKernel).join(" or ")}`,
      );
    },
  },
  {
    id: "netkit-without-tproxy",
    acceptable: false,
    why: "Helm stops: a transparent proxy by BPF does not work on netkit devices.",
    check: (subject) => {
      const netkit = netkitOf(subject.args);
      return findingIf(
        netkit !== undefined && at(ciliumOf(subject).values, "bpf.tproxy") === true,
        "cilium.values.bpf.tproxy",
        `true does not go with ${netkit?.mode ?? ""} (${netkit?.path ?? ""})`,
        "leave one of the two out",
      );
    },
  },
  {
    id: "netkit-needs-bpf-routing",
    acceptable: false,
    why: "Cilium's agent does not start: a netkit device hands packets to BPF alone, and the host's stack never sees them.",
    check: (subject) => {
      const { values } = ciliumOf(subject);
      const netkit = netkitOf(subject.args);
      return [
        { key: "bpf.masquerade", harm: false },
        { key: "bpf.hostLegacyRouting", harm: true },
      ].flatMap(({ key, harm }) =>
        findingIf(
          at(values, key) === harm && netkit !== undefined,
          `cilium.values.${key}`,
          `${netkit?.mode ?? ""} needs host routing by BPF, and ${String(harm)} takes it away`,
          'leave it out, or set network.datapath to "veth"',
        ),
      );
    },
  },
];
