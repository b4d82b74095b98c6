/**
 * Errors as problem+json (RFC 9457), for whatever goes wrong: the API's own refusals, the framework's, and bugs, whose
 * cause goes to the log and never to the client.
 */
import { STATUS_CODES } from "node:http";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { Log } from "../../../node/src/host/types.ts";
import type { ProblemJson } from "./schemas/common.ts";

export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

type Fault = { readonly field: string; readonly message: string };

type Details = {
  readonly faults?: readonly Fault[];
  readonly reason?: string;
  readonly retryAfterS?: number;
};

/** A refusal that a route throws. `faults` name the fields of the request that are wrong, in words. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly faults: readonly Fault[];
  readonly reason: string | null;
  /** When it may be asked again with another answer, where that is known. */
  readonly retryAfterS: number | null;

  constructor(status: number, detail: string, more: Details = {}) {
    super(detail);
    this.status = status;
    this.faults = more.faults ?? [];
    this.reason = more.reason ?? null;
    this.retryAfterS = more.retryAfterS ?? null;
  }
}

/** 404 in words: "no such hotspot". */
export const notFound = (what: string): ApiProblem => new ApiProblem(404, `There is no such ${what}.`);

/** 400 for one field that has the right form and is nonsense all the same. */
export const badField = (field: string, message: string): ApiProblem =>
  new ApiProblem(400, "The request has a field that cannot be read.", { faults: [{ field, message }] });

/** The body of a problem. */
export function describeProblem(status: number, detail: string, faults: readonly Fault[] = []): ProblemJson {
  const title = STATUS_CODES[status] ?? "Error";
  return {
    type: "about:blank",
    title,
    status,
    detail,
    ...(faults.length > 0 ? { errors: [...faults] } : {}),
  };
}

type SchemaFault = { readonly instancePath: string; readonly message?: string; readonly params?: unknown };

/** A validator's fault as field and message; a missing or surplus field is named in the parameters. */
function readFault(fault: SchemaFault, context: string): Fault {
  const params = (fault.params ?? {}) as Record<string, unknown>;
  const named = params.additionalProperties ?? params.requiredProperties ?? [];
  const path = fault.instancePath.split("/").filter((part) => part !== "");
  const field = [...path, ...(Array.isArray(named) ? named.slice(0, 1).map(String) : [])].join(".");
  // The text of a field's name is the client's own; it goes back to that client only, cut short.
  return {
    field: (field === "" ? context : field).slice(0, 100),
    message: describeFault(fault.message, params),
  };
}

function describeFault(message: string | undefined, { allowedValues }: Record<string, unknown>): string {
  if (Array.isArray(allowedValues)) return `must be one of ${allowedValues.join(", ")}`;
  return message ?? "is not as it must be";
}

/** TypeBox's fault of a surplus field's value, beside the one that says that the field is surplus. */
const isEcho = ({ message }: SchemaFault): boolean => message === "schema is false";

/** What an error says to the client: status and problem. */
export function problemOf(error: FastifyError | ApiProblem): ProblemJson {
  if (error instanceof ApiProblem) {
    const problem = describeProblem(error.status, error.message, error.faults);
    return error.reason === null ? problem : { ...problem, reason: error.reason };
  }
  if (error.validation !== undefined) {
    const context = error.validationContext ?? "request";
    // A union reports every branch; ten faults are more than a person reads.
    const told = error.validation.filter((fault) => !isEcho(fault)).slice(0, 10);
    const faults = told.map((fault) => readFault(fault, context));
    return describeProblem(400, "The request is not as the API's description says.", faults);
  }
  const status = error.statusCode ?? 500;
  if (status >= 500 && status !== 503)
    return describeProblem(500, "The validator failed; the operator finds why in its log.");
  return describeProblem(status, error.message);
}

/** The one error handler of the API. */
export function createErrorHandler(log: Log) {
  return (error: FastifyError | ApiProblem, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = problemOf(error);
    if (problem.status >= 500 && problem.status !== 503) {
      log.error("Failed to answer a request", {
        route: request.routeOptions.url ?? "unmatched",
        error: String(error.stack),
      });
    }
    // A route may have said of the answer that it could not give that it is a file to be kept for a year.
    for (const name of ["etag", "last-modified", "content-disposition"]) reply.removeHeader(name);
    reply.header("cache-control", "no-store");
    if (error instanceof ApiProblem && error.retryAfterS !== null)
      reply.header("retry-after", error.retryAfterS);
    void reply.code(problem.status).header("content-type", PROBLEM_TYPE).send(problem);
  };
}
