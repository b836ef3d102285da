/** One refused field of a request: its name and what is wrong with it. */
export interface FieldProblem {
  name: string;
  messages: string[];
}

/** An answer of the API that is an error. Thrown by handlers, turned into the error body by http.ts. */
export class ApiError extends Error {
  /**
   * @param status HTTP status
   * @param code the API's error code, e.g. `not_found`
   * @param message sentence for people
   * @param details the body's `details`, null if the code has none
   */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: object | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** The body as it goes over the wire; all three keys always present. */
  toBody(): { error: { code: string; message: string; details: object | null } } {
    return { error: { code: this.code, message: this.message, details: this.details } };
  }
}

/**
 * 422 for fields that do not fit. Always carries `details.fields`: the Terraform provider panics on an invalid_input without.
 * @param problems at least one refused field
 * @param message default: the API's own wording, naming the fields
 */
export function invalidInput(problems: FieldProblem[], message?: string): ApiError {
  const names = problems.map((problem) => `'${problem.name}'`);
  const wording = `invalid input in ${names.length > 1 ? "fields" : "field"} ${names.join(", ")}`;
  return new ApiError(422, "invalid_input", message ?? wording, { fields: problems });
}

/** 422 for one field. */
export function invalidField(name: string, problem: string, message?: string): ApiError {
  return invalidInput([{ name, messages: [problem] }], message);
}

/**
 * 404 for an object that does not exist in this project.
 * @param kind word for the object, e.g. `server`
 * @param id what was asked for
 */
export function notFound(kind: string, id: number | string): ApiError {
  return new ApiError(404, "not_found", `${kind} with ID '${id}' not found`);
}

/** 409 for a value that another object of the project has already. */
export function notUnique(field: string, message: string): ApiError {
  return new ApiError(409, "uniqueness_error", message, { fields: [{ name: field }] });
}

/** 409 while another change of the same network runs. Clients retry it. */
export function conflict(message: string): ApiError {
  return new ApiError(409, "conflict", message);
}

/** 423 while an action runs on the server. */
export function locked(): ApiError {
  return new ApiError(423, "locked", "cannot perform operation because server is locked");
}

/** 423 for objects under protection. */
export function isProtected(message: string): ApiError {
  return new ApiError(423, "protected", message);
}

/** 403 when a limit of the project or of an object is reached. */
export function limitExceeded(limit: string, message: string): ApiError {
  return new ApiError(403, "resource_limit_exceeded", message, { limits: [{ name: limit }] });
}

/** 422 with a code of the operation itself, e.g. `server_already_attached`. */
export function refused(code: string, message: string): ApiError {
  return new ApiError(422, code, message);
}

/** 422 for what the real API can do and this sandbox cannot. */
export function notEmulated(what: string): ApiError {
  return new ApiError(422, "unsupported_error", `${what} is not emulated by this sandbox`);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
