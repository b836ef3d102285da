import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** Messages for the engine's display. */
export interface EngineLog {
  /** A passing line beside the resource, replaced by the next one. */
  status(message: string): void;
  /** A lasting diagnostic. */
  warning(message: string): void;
  error(message: string): void;
}

/** Sends messages to the engine at an address; before the address is known, and without one, they are dropped. */
export class EngineLogs {
  private client: EngineClient | undefined;

  connect(address: string | undefined): void {
    if (address) this.client = new EngineClient(address, credentials.createInsecure());
  }

  /** The log of one resource. */
  for(urn: string): EngineLog {
    return {
      status: (message) => this.send(urn, LogSeverity.INFO, message, true),
      warning: (message) => this.send(urn, LogSeverity.WARNING, message, false),
      error: (message) => this.send(urn, LogSeverity.ERROR, message, false),
    };
  }

  private send(urn: string, severity: LogSeverity, message: string, ephemeral: boolean): void {
    const request = new LogRequest().setUrn(urn).setSeverity(severity).setMessage(message).setEphemeral(ephemeral);
    this.client?.log(request, (error) => {
      // The display is gone; stderr is what remains to tell someone.
      if (error) process.stderr.write(`${message}\n`);
    });
  }
}
