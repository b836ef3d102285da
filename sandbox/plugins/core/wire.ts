import { Metadata, type ServiceError, type sendUnaryData, type ServerUnaryCall, status } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { PartialFailure } from "./provider";
import { type Bag, bagFromWire, toWire } from "./values";

export type Method<Request, Response> = (request: Request) => Promise<Response>;

let running = 0;
let onIdle: (() => void) | undefined;

/** Calls back once no call is under way: at once, or after the last one. */
export function whenIdle(callback: () => void): void {
  if (running === 0) callback();
  else onIdle = callback;
}

function finished(): void {
  running--;
  if (running === 0) onIdle?.();
}

/** Makes a gRPC handler out of an asynchronous function; a thrown error becomes the call's error. */
export function unary<Request, Response>(method: Method<Request, Response>) {
  return (call: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>): void => {
    running++;
    method(call.request)
      .then(
        (response) => answer(null, response),
        (error: unknown) => answer(toServiceError(error)),
      )
      .finally(finished);
  };
}

export function readBag(struct: Struct | undefined): Bag {
  return bagFromWire(struct?.toJavaScript());
}

export function writeBag(bag: Bag): Struct {
  return Struct.fromJavaScript(toWire(bag) as { [key: string]: JavaScriptValue });
}

function toServiceError(error: unknown): Partial<ServiceError> {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof PartialFailure)) {
    const code = (error as { code?: unknown }).code;
    return { code: code === status.UNIMPLEMENTED ? code : status.UNKNOWN, details: message };
  }
  // The engine reads the recorded part out of the error's binary details.
  const failure = new ErrorResourceInitFailed().setId(error.id).setProperties(writeBag(error.state));
  failure.setReasonsList([message]);
  const packed = new Any();
  packed.pack(failure.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const details = new Status().setCode(status.UNKNOWN).setMessage(message);
  details.addDetails(packed);
  const metadata = new Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(details.serializeBinary()));
  return { code: status.UNKNOWN, details: message, metadata };
}
