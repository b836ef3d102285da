import {
  CheckFailure,
  type CheckRequest,
  CheckResponse,
  type CreateRequest,
  CreateResponse,
  type DeleteRequest,
  type DiffRequest,
  type ReadRequest,
  ReadResponse,
  type UpdateRequest,
  UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { diffResponse } from "./diffResponse";
import { type Call, type ResourceHandler, unsupportedToken } from "./provider";
import type { Session } from "./session";
import { readBag, unary, writeBag } from "./wire";

interface ResourceRequest {
  getUrn(): string;
  getTimeout?(): number;
}

/** The calls that concern one resource. */
export function resourceMethods(session: Session) {
  const handlerOf = (request: ResourceRequest): ResourceHandler => {
    const type = typeOf(request.getUrn());
    const handler = session.provider.resource(type);
    if (handler === undefined) throw new Error(unsupportedToken(session.provider.name, "resource type", type));
    return handler;
  };
  return {
    check: unary(async (request: CheckRequest) => {
      const { inputs, failures } = await handlerOf(request).check({
        ...callOf(session, request),
        olds: readBag(request.getOlds()),
        news: readBag(request.getNews()),
        seed: request.getRandomseed_asU8(),
      });
      const list = failures.map(({ property, reason }) => new CheckFailure().setProperty(property).setReason(reason));
      return new CheckResponse().setInputs(writeBag(inputs)).setFailuresList(list);
    }),
    diff: unary(async (request: DiffRequest) => {
      const result = await handlerOf(request).diff({
        ...callOf(session, request),
        id: request.getId(),
        state: readBag(request.getOlds()),
        oldInputs: readBag(request.getOldInputs()),
        inputs: readBag(request.getNews()),
        ignoreChanges: request.getIgnorechangesList(),
      });
      return diffResponse(result);
    }),
    create: unary(async (request: CreateRequest) => {
      const { id, state } = await handlerOf(request).create({
        ...callOf(session, request),
        inputs: readBag(request.getProperties()),
        preview: request.getPreview(),
      });
      return new CreateResponse().setId(id).setProperties(writeBag(state));
    }),
    read: unary(async (request: ReadRequest) => {
      const result = await handlerOf(request).read({
        ...callOf(session, request),
        id: request.getId(),
        state: readBag(request.getProperties()),
        oldInputs: readBag(request.getInputs()),
      });
      if (result === null) return new ReadResponse();
      const response = new ReadResponse().setId(result.id).setProperties(writeBag(result.state));
      return response.setInputs(writeBag(result.inputs));
    }),
    update: unary(async (request: UpdateRequest) => {
      const state = await handlerOf(request).update({
        ...callOf(session, request),
        id: request.getId(),
        state: readBag(request.getOlds()),
        oldInputs: readBag(request.getOldInputs()),
        inputs: readBag(request.getNews()),
        preview: request.getPreview(),
      });
      return new UpdateResponse().setProperties(writeBag(state));
    }),
    delete: unary(async (request: DeleteRequest) => {
      const call = callOf(session, request);
      await handlerOf(request).delete({ ...call, id: request.getId(), state: readBag(request.getProperties()) });
      return new Empty();
    }),
  };
}

function callOf(session: Session, request: ResourceRequest): Call {
  const urn = request.getUrn();
  const timeout = request.getTimeout?.() ?? 0;
  const signals = [session.cancelled.signal];
  if (timeout > 0) signals.push(deadline(timeout));
  return {
    urn,
    name: urn.split("::").slice(3).join("::"),
    type: typeOf(urn),
    signal: AbortSignal.any(signals),
    log: session.logs.for(urn),
  };
}

function deadline(seconds: number): AbortSignal {
  const controller = new AbortController();
  const expire = () => controller.abort(new Error("context deadline exceeded"));
  setTimeout(expire, Math.min(seconds * 1000, 2 ** 31 - 1)).unref();
  return controller.signal;
}

/** The resource's own type: the last part of the URN's chain of parents' types. */
function typeOf(urn: string): string {
  return (urn.split("::")[2] ?? "").split("$").at(-1) ?? "";
}
