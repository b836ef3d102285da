import { cpusOf, isWithin, wholeCores } from "../../plan/cpuList";
import type { KubeletReading, MachineReading, NodeProbes, Seen } from "../evidence";
import type { CheckResult, Expectation } from "../types";
import { findings, list, withoutPlan, type Check } from "./result";

type Cpu = Expectation["nodes"][number]["cpu"];

const repair = "Put the node's settings into effect again (up --repair, or run zerosteal-setup on it).";

/** The kubelet, pods and daemons use the CPUs that the pool's isolation leaves them. */
export const cpuIsolation: Check = {
  id: "cpu-isolation",
  title: "CPUs are reserved and left as planned",
  settles: false,
  run: (expectation, evidence) =>
    evidence.probes.flatMap((probes) => {
      const kubelet = evidence.kubelets[probes.node] ?? { unseen: "It was not asked." };
      if (!expectation) return [...judgeScheduler(probes), unseen(probes.node, "-", withoutPlan)];
      const planned = expectation.nodes.find(({ name }) => name === probes.node)?.cpu;
      return [...judgeScheduler(probes), ...(planned ? judgePlanned(probes, kubelet, planned) : [])];
    }),
};

const { ok, failed, equal, unseen, unprovable } = findings("cpu-isolation");

/** Holds on every cluster: no kubelet knows of such CPUs. */
function judgeScheduler({ node, host }: NodeProbes): CheckResult[] {
  const wanted = "no CPU kept from the scheduler";
  if ("unseen" in host) return [unseen(node, wanted, host.unseen)];
  const { isolated } = host.value.machine;
  const hint =
    "Pods of the shared CPUs pile up on one of them: take isolcpus off the kernel's command line, boot again, and use cpuIsolation of the pool.";
  return [equal(node, wanted, isolated === "" ? wanted : `CPUs ${isolated} kept by isolcpus`, hint)];
}

function judgePlanned(probes: NodeProbes, kubelet: Seen<KubeletReading>, cpu: Cpu): CheckResult[] {
  const { node, host } = probes;
  if ("unseen" in host) return [unseen(node, `${cpu.isolation} isolation`, host.unseen)];
  const { machine, machineIsContainer } = host.value;
  const reserved = wholeCores(cpu.reserved, machine.cores);
  return [
    judgeKubelet(node, cpu, reserved, machine, kubelet),
    ...(cpu.isolation === "strict"
      ? [judgePods(node, reserved, machine), judgeDaemons(node, reserved, machine, machineIsContainer)]
      : []),
  ];
}

function judgeKubelet(
  node: string,
  { isolation }: Cpu,
  reserved: string,
  machine: MachineReading,
  kubelet: Seen<KubeletReading>,
): CheckResult {
  const threads = machine.cores.some((core) => /[-,]/.test(core));
  const options = isolation === "strict" ? [...(threads ? ["full-pcpus-only"] : []), "strict-cpu-reservation"] : [];
  const wanted = textOf({ policy: isolation === "none" ? "none" : "static", reserved, options });
  if ("unseen" in kubelet) return unseen(node, wanted, kubelet.unseen);
  return equal(node, wanted, textOf(kubelet.value), repair);
}

function textOf({ policy, reserved, options }: KubeletReading): string {
  if (policy === "none") return "CPU manager none";
  return `CPU manager ${policy}, reserved ${reserved || "none"}, options ${list(options)}`;
}

/** The probe is a pod without CPUs of its own: where it may run, every other such pod may. */
function judgePods(node: string, reserved: string, { probeCpus }: MachineReading): CheckResult {
  const wanted = `pods off CPUs ${reserved}`;
  if (probeCpus === "") return unseen(node, wanted, "The probe could not tell on which CPUs it may run.");
  if (!cpusOf(probeCpus).some((cpu) => cpusOf(reserved).includes(cpu))) return ok(node, wanted, wanted);
  return failed(node, wanted, `a pod that may run on CPUs ${probeCpus}`, repair);
}

function judgeDaemons(
  node: string,
  reserved: string,
  { kubeletCpus }: MachineReading,
  container: boolean,
): CheckResult {
  const wanted = `daemons on CPUs ${reserved}`;
  if (kubeletCpus === "") return unseen(node, wanted, "The probe found no process of the kubelet.");
  const found = `the kubelet on CPUs ${kubeletCpus}`;
  if (isWithin(kubeletCpus, reserved)) return ok(node, wanted, found);
  if (container)
    return unprovable(
      node,
      wanted,
      found,
      "The machine is a container, and its systemd cannot bind its slices to CPUs here.",
    );
  return failed(node, wanted, found, repair);
}

/** NICs interrupt the reserved CPUs only. */
export const irqAffinity: Check = {
  id: "irq-affinity",
  title: "NICs interrupt the reserved CPUs only",
  settles: false,
  idle: "No node isolates CPUs.",
  run: (expectation, evidence) =>
    evidence.probes.flatMap((probes) => {
      if (!expectation) return [findings("irq-affinity").unseen(probes.node, "-", withoutPlan)];
      const cpu = expectation.nodes.find(({ name }) => name === probes.node)?.cpu;
      return cpu === undefined || cpu.isolation === "none" ? [] : [judgeInterrupts(probes, cpu)];
    }),
};

function judgeInterrupts({ node, host }: NodeProbes, cpu: Cpu): CheckResult {
  const irq = findings("irq-affinity");
  if ("unseen" in host) return irq.unseen(node, `interrupts on CPUs ${cpu.reserved}`, host.unseen);
  const { machine, machineIsContainer } = host.value;
  const reserved = wholeCores(cpu.reserved, machine.cores);
  const wanted = `interrupts on CPUs ${reserved}`;
  if (machine.interrupts.length === 0) {
    const found = "NICs without interrupts";
    return machineIsContainer
      ? irq.unprovable(node, wanted, found, "The machine is a container: its NICs are its host's.")
      : irq.unseen(node, wanted, "No NIC shows interrupts of its own (msi_irqs).", found);
  }
  const astray = machine.interrupts.filter(({ cpus }) => !isWithin(cpus, reserved));
  if (astray.length === 0) return irq.ok(node, wanted, wanted);
  const found = list(astray.map(({ nic, name, cpus }) => `${nic} ${name} on CPU ${cpus}`));
  return irq.failed(
    node,
    wanted,
    found,
    `${repair} /var/lib/zerosteal/cpus-skipped there names what could not be moved; irqbalance must not run.`,
  );
}
