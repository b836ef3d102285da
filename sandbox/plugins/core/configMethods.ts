import { PluginInfo, type PluginAttach } from "@pulumi/pulumi/proto/plugin_pb";
import {
  CheckFailure,
  type CheckRequest,
  CheckResponse,
  type ConfigureRequest,
  ConfigureResponse,
  type DiffRequest,
  GetSchemaResponse,
  type InvokeRequest,
  InvokeResponse,
  type ProviderHandshakeRequest,
  ProviderHandshakeResponse,
} from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type DiffResult, diffBags } from "./diff";
import { diffResponse } from "./diffResponse";
import { unsupportedToken } from "./provider";
import type { Session } from "./session";
import type { Bag } from "./values";
import { readBag, unary, writeBag } from "./wire";

/** The calls that concern the plugin as a whole: greeting, settings, functions, cancelling. */
export function configMethods(session: Session) {
  const { provider, logs } = session;
  const checkConfig = (news: Bag) => provider.checkConfig?.(news) ?? { inputs: news, failures: [] };
  return {
    handshake: unary(async (request: ProviderHandshakeRequest) => {
      logs.connect(request.getEngineAddress());
      return new ProviderHandshakeResponse().setAcceptSecrets(true);
    }),
    attach: unary(async (request: PluginAttach) => {
      logs.connect(request.getAddress());
      return new Empty();
    }),
    getPluginInfo: unary(async () => new PluginInfo().setVersion(provider.version)),
    getSchema: unary(async () => new GetSchemaResponse().setSchema(emptySchema(provider.name, provider.version))),
    cancel: unary(async () => {
      session.cancelled.abort(new Error("context canceled"));
      return new Empty();
    }),
    checkConfig: unary(async (request: CheckRequest) => {
      const { inputs, failures } = checkConfig(readBag(request.getNews()));
      const list = failures.map(({ property, reason }) => new CheckFailure().setProperty(property).setReason(reason));
      return new CheckResponse().setInputs(writeBag(inputs)).setFailuresList(list);
    }),
    diffConfig: unary(async (request: DiffRequest) => {
      const [olds, news] = [readBag(request.getOlds()), readBag(request.getNews())];
      return diffResponse(provider.diffConfig?.(olds, news) ?? plainDiff(olds, news));
    }),
    configure: unary(async (request: ConfigureRequest) => {
      await provider.configure(readBag(request.getArgs()));
      return new ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true);
    }),
    invoke: unary(async (request: InvokeRequest) => {
      const handler = provider.invoke(request.getTok());
      if (handler === undefined) throw new Error(unsupportedToken(provider.name, "function", request.getTok()));
      const result = await handler(readBag(request.getArgs()), { signal: session.cancelled.signal });
      return new InvokeResponse().setReturn(writeBag(result));
    }),
  };
}

function plainDiff(olds: Bag, news: Bag): DiffResult {
  return { changes: diffBags(olds, news), deleteBeforeReplace: false };
}

// Programs do not need the schema; the engine asks for it only to print or convert.
function emptySchema(name: string, version: string): string {
  return JSON.stringify({ name, version, resources: {}, functions: {} });
}
