import { setTimeout as sleep } from "node:timers/promises";
import { diffBags } from "../core/diff";
import { type Call, PartialFailure, type ResourceHandler } from "../core/provider";
import { type Bag, hasUnknown, redact, reveal, revealBag, secretTexts } from "../core/values";
import { KubeApiClient, KubeError, type KubeObject, NoSuchKind, type Target, Unreachable } from "./api";
import { knownScope, replaces } from "./kinds";
import { NotReady, untilGone, untilReady } from "./objectReady";
import {
  annotation,
  annotations,
  fieldManagerOf,
  importedObject,
  mapAt,
  objectId,
  objectState,
  refreshedInputs,
  refusals,
  targetOf,
  withNames,
} from "./objectState";
import type { ClusterAccess } from "./release";

/** Milliseconds between the tries of a create whose namespace or kind may be on its way. */
const createWaits = [1000, 2000, 4000, 8000];

/** Any single object of the Kubernetes API, by server-side apply. */
export function objectResource(access: () => ClusterAccess): ResourceHandler {
  let opened: { access: ClusterAccess; api: KubeApiClient } | undefined;
  const api = (): KubeApiClient => {
    if (opened?.access !== access()) {
      opened = { access: access(), api: new KubeApiClient(access().kubeconfig, access().context) };
    }
    return opened.api;
  };

  /** Asks the cluster only about kinds that not every cluster has; as long as it does not know them, namespaced is the better guess. */
  async function isNamespaced(inputs: Bag, signal?: AbortSignal): Promise<boolean> {
    const [apiVersion, kind] = [String(reveal(inputs.apiVersion ?? "")), String(reveal(inputs.kind ?? ""))];
    return (
      knownScope(apiVersion, kind) ??
      (await api()
        .namespaced(apiVersion, kind, signal)
        .catch(() => true))
    );
  }

  return {
    check: async ({ olds, news, seed, ...call }) => {
      const namespace = (await isNamespaced(news, call.signal)) ? access().namespace : undefined;
      const inputs = withNames(news, olds, namespace, call.name, seed);
      return { inputs, failures: refusals(inputs) };
    },

    diff: async ({ state, oldInputs, inputs }) => {
      const { apiVersion, kind } = targetOf(inputs);
      const changes = diffBags(oldInputs, inputs).map((change) => ({
        ...change,
        replace: replaces(apiVersion, kind, change.path),
      }));
      const same = (key: string): boolean =>
        reveal(mapAt(inputs, "metadata")[key] ?? null) === reveal(mapAt(state, "metadata")[key] ?? null);
      const named = annotation(inputs, annotations.autonamed) !== "true";
      const replaced = changes.some((change) => change.replace);
      return { changes, deleteBeforeReplace: replaced && named && same("name") && same("namespace") };
    },

    create: async ({ inputs, preview, ...call }) => {
      if (preview) return { id: "", state: inputs };
      const target = targetOf(inputs);
      const fieldManager = fieldManagerOf({});
      const applied = await created(target, inputs, fieldManager, call);
      const stateOf = (live: KubeObject): Bag => objectState(inputs, live, fieldManager, target.apiVersion);
      const live = await ready(target, applied, inputs, call, stateOf, (why) =>
        [
          `resource "${call.urn}" was successfully created, but the Kubernetes API server reported that it failed to`,
          `fully initialize or become live: ${why}`,
        ].join(" "),
      );
      return { id: objectId(live), state: stateOf(live) };
    },

    read: async ({ id, state, oldInputs, ...call }) => {
      const imported = Object.keys(oldInputs).length === 0;
      const target = imported ? targetFrom(call.type, id) : targetOf(oldInputs);
      try {
        const live = await api().get(target, call.signal);
        if (live === undefined) return null;
        const inputs = imported ? importedObject(live) : refreshedInputs(oldInputs, state, live);
        const initial = reveal(state.__initialApiVersion ?? target.apiVersion);
        return { id, inputs, state: objectState(inputs, live, fieldManagerOf(state), String(initial)) };
      } catch (error) {
        if (error instanceof NoSuchKind) return null;
        if (!(error instanceof Unreachable)) throw error;
        if (forgotten(error, call)) return null;
        throw new Error(`failed to read resource state due to unreachable cluster. ${howToForget}`, { cause: error });
      }
    },

    update: async ({ id, inputs, state, preview, ...call }) => {
      if (preview) return inputs;
      const target = targetOf(inputs);
      const fieldManager = fieldManagerOf(state);
      const initial = String(reveal(state.__initialApiVersion ?? target.apiVersion));
      const stateOf = (live: KubeObject): Bag => objectState(inputs, live, fieldManager, initial);
      const applied = await apply(target, inputs, fieldManager, call).catch((error: unknown) => {
        throw new Error(`update of resource "${call.urn}" failed: ${words(error, inputs)}`, { cause: error });
      });
      const failed = (why: string): string =>
        `the Kubernetes API server reported that "${id}" failed to fully initialize or become live: ${why}`;
      return stateOf(await ready(target, applied, inputs, call, stateOf, failed));
    },

    delete: async ({ state, ...call }) => {
      const target = targetOf(state);
      const inputs = mapAt(state, "__inputs");
      const policy = annotation(inputs, annotations.deletionPropagation)?.toLowerCase();
      const propagation = policy === "orphan" ? "Orphan" : policy === "background" ? "Background" : "Foreground";
      try {
        if (await api().delete(target, propagation, call.signal)) await untilGone(api(), target, inputs, call);
      } catch (error) {
        // Its kind went, and it with its kind.
        if (error instanceof NoSuchKind) return;
        if (!(error instanceof Unreachable)) throw error;
        if (forgotten(error, call)) return;
        throw new Error(`configured Kubernetes cluster is unreachable. ${howToForget}`, { cause: error });
      }
    },
  };

  async function created(target: Target, inputs: Bag, fieldManager: string, call: Call): Promise<KubeObject> {
    for (let attempt = 0; ; attempt++) {
      try {
        if (await api().get(target, call.signal)) throw existsAlready(target);
        return await apply(target, inputs, fieldManager, call);
      } catch (error) {
        const wait = createWaits[attempt];
        const onItsWay = error instanceof NoSuchKind || (error instanceof KubeError && error.status === 404);
        if (!onItsWay || wait === undefined) throw new Error(notCreated(target, inputs, call, error), { cause: error });
        call.log.status(`Retry #${attempt}; creation failed: ${words(error, inputs)}`);
        await sleep(wait, undefined, { signal: call.signal });
      }
    }
  }

  function apply(target: Target, inputs: Bag, fieldManager: string, call: Call): Promise<KubeObject> {
    const force = annotation(inputs, annotations.patchForce) === "true";
    if (hasUnknown(inputs)) throw new Error(`${target.kind} ${target.name} has values that are not known yet`);
    return api().apply(target, revealBag(inputs), { fieldManager, force }, call.signal);
  }

  /** Waits; an object that is there and not ready is recorded, so that the next update goes on with it. */
  async function ready(
    target: Target,
    applied: KubeObject,
    inputs: Bag,
    call: Call,
    stateOf: (live: KubeObject) => Bag,
    failed: (why: string) => string,
  ): Promise<KubeObject> {
    try {
      return await untilReady(api(), target, applied, inputs, call);
    } catch (error) {
      const live = error instanceof NotReady ? error.live : applied;
      throw new PartialFailure(failed(words(error, inputs)), objectId(live), stateOf(live));
    }
  }

  function forgotten(error: Unreachable, call: Call): boolean {
    call.log.warning(`configured Kubernetes cluster is unreachable: ${error.message}`);
    return access().deleteUnreachable;
  }
}

const howToForget =
  "If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation with the " +
  'PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"';

function existsAlready({ kind, name }: Target): KubeError {
  return new KubeError(`${kind} "${name}" already exists`, 409, "AlreadyExists");
}

function notCreated({ apiVersion, kind }: Target, inputs: Bag, { urn }: Call, error: unknown): string {
  const why = words(error, inputs);
  if (error instanceof Unreachable) return `configured Kubernetes cluster is unreachable: ${why}`;
  if (error instanceof NoSuchKind) {
    return (
      `creation of resource "${urn}" with kind ${apiVersion}/${kind} failed because the Kubernetes API server reported that the ` +
      `apiVersion for this resource does not exist. Verify that any required CRDs have been created: ${why}`
    );
  }
  return `resource "${urn}" was not successfully created by the Kubernetes API server: ${why}`;
}

/** An error's text without the values that are secret, and with what a conflict means. */
function words(error: unknown, inputs: Bag): string {
  const text = redact((error as Error).message, secretTexts(inputs));
  if (!(error instanceof KubeError) || error.reason !== "Conflict") return text;
  return `server-side apply field conflict detected: ${text}`;
}

/** The object that an id names, for an import. */
function targetFrom(token: string, id: string): Target {
  const [, version = "", kind = ""] = token.split(":");
  const [namespace = "", name = ""] = id.includes("/") ? id.split("/") : ["", id];
  const target = { apiVersion: version.replace(/^core\//, ""), kind, name };
  return namespace === "" ? target : { ...target, namespace };
}
