/* The stand-in for the kubernetes plugin, with policies that live in the state alone: previews of them need no cluster. */
import { diffBags } from "../../sandbox/plugins/core/diff";
import type { ResourceHandler } from "../../sandbox/plugins/core/provider";
import { runPlugin } from "../../sandbox/plugins/core/server";
import { kubernetesProvider } from "../../sandbox/plugins/kubernetes/provider";

const policy: ResourceHandler = {
  check: async ({ news }) => ({ inputs: news, failures: [] }),
  diff: async ({ oldInputs, inputs }) => ({ changes: diffBags(oldInputs, inputs), deleteBeforeReplace: false }),
  create: async ({ name, inputs }) => ({ id: `shop/${name}`, state: inputs }),
  read: async ({ id, state, oldInputs }) => ({ id, state, inputs: oldInputs }),
  update: async ({ inputs }) => inputs,
  delete: async () => undefined,
};

const provider = kubernetesProvider(process.env.ZEROSTEAL_PLUGIN_VERSION ?? "");
const known = provider.resource.bind(provider);
const type = "kubernetes:cilium.io/v2:CiliumNetworkPolicy";
void runPlugin(
  { ...provider, resource: (wanted) => (wanted === type ? policy : known(wanted)) },
  process.argv.slice(2),
);
