import { Body } from "./body";
import { ApiError } from "./errors";

/** Something that is to go wrong on purpose. */
export interface Fault {
  /** HTTP method, or `*`. */
  method: string;
  /** Path below `/v1`; `*` stands for one part, e.g. `/networks/*` for any one network. */
  path: string;
  /** How many more requests it meets. */
  times: number;
  /** Wait before anything else, milliseconds. */
  delayMs: number;
  /** Answer with this error instead of doing anything. */
  error: { status: number; code: string; message: string; details: object | null } | null;
  /** Let the actions of the request fail with this. */
  actionError: { code: string; message: string } | null;
}

/** Faults that tests ordered, by project. */
export class Faults {
  private readonly ordered = new Map<string, Fault[]>();

  /** Orders a fault. @param fields `{method, path, times?, delay_ms?, error?, action_error?}` */
  add(project: string, fields: Record<string, unknown>): Fault {
    const fault = readFault(fields);
    this.ordered.set(project, [...this.list(project), fault]);
    return fault;
  }

  list(project: string): Fault[] {
    return this.ordered.get(project) ?? [];
  }

  clear(project: string): void {
    this.ordered.delete(project);
  }

  /**
   * The fault that this request meets; it counts as used once.
   * @param path path below `/v1`
   */
  take(project: string, method: string, path: string): Fault | null {
    const fault = this.list(project).find((candidate) => meets(candidate, method, path));
    if (!fault) return null;
    fault.times--;
    this.ordered.set(
      project,
      this.list(project).filter((candidate) => candidate.times > 0),
    );
    return fault;
  }
}

function meets(fault: Fault, method: string, path: string): boolean {
  const [wanted, actual] = [fault.path.split("/"), path.split("/")];
  const samePath =
    wanted.length === actual.length && wanted.every((part, index) => part === "*" || part === actual[index]);
  return samePath && (fault.method === "*" || fault.method === method);
}

function readFault(fields: Record<string, unknown>): Fault {
  const body = new Body(fields);
  const path = body.requiredString("path");
  const error = body.object("error");
  const actionError = body.object("action_error");
  const fault: Fault = {
    method: (body.string("method") ?? "*").toUpperCase(),
    path,
    times: body.integer("times") ?? 1,
    delayMs: body.integer("delay_ms") ?? 0,
    error: error
      ? {
          status: error.requiredInteger("status"),
          code: error.requiredString("code"),
          message: error.string("message") ?? "injected fault",
          details: (error.raw("details") as object | undefined) ?? null,
        }
      : null,
    actionError: actionError
      ? { code: actionError.requiredString("code"), message: actionError.string("message") ?? "injected fault" }
      : null,
  };
  if (fault.times < 1) body.refuse("times", "must be at least 1");
  if (fault.error && (fault.error.status < 400 || fault.error.status > 599))
    body.refuse("error.status", "must be 400 to 599");
  if (path !== "" && !path.startsWith("/")) body.refuse("path", "must begin with a slash");
  body.check();
  return fault;
}

/** The error a fault stands for. */
export function errorOf(fault: NonNullable<Fault["error"]>): ApiError {
  return new ApiError(fault.status, fault.code, fault.message, fault.details);
}
