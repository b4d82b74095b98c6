/** How an operator's command asks a validator that runs: signed, over its home's socket or a port on loopback. */
import { randomBytes } from "node:crypto";
import { request as httpRequest, type RequestOptions } from "node:http";
import { CodedError, systemCodeOf } from "../../../node/src/host/codedError.ts";
import { type AdminTarget, NONCE_BYTES, signRequest } from "./signedRequest.ts";

/** Where a validator listens to its operators. */
export type AdminAddress = { readonly socket: string } | { readonly url: URL };
export type AdminClientOptions = {
  readonly address: AdminAddress;
  readonly target: AdminTarget;
  readonly operator: { readonly publicKey: Uint8Array; readonly secretSeed: Uint8Array };
  /** How long an answer may take; a backup is the longest. */
  readonly timeoutMs: number;
};
export type AdminAnswer = { readonly status: number; readonly json: Record<string, unknown> };

/** A thousand audit lines, each with a long body. */
const MAX_ANSWER_BYTES = 32 * 1_048_576;

/**
 * Asks for one thing. @param path with its query. @param order the body; absent for a question.
 * @throws CodedError "peer_unreachable" where nobody listens, "answer_oversized", "request_refused".
 */
export async function askAdmin(
  { address, target, operator, timeoutMs }: AdminClientOptions,
  method: "GET" | "PUT" | "POST" | "DELETE",
  path: string,
  order?: object,
): Promise<AdminAnswer> {
  const body = order === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(order), "utf8");
  const once = { timeMs: Date.now(), nonce: randomBytes(NONCE_BYTES) };
  const authorization = signRequest(target, { method, path, body }, operator, once);
  const type =
    order === undefined ? {} : { "content-type": "application/json", "content-length": body.length };
  const headers = { authorization, ...type };
  const { status, text } = await exchange(
    { ...connectionOf(address), method, path, headers },
    body,
    address,
    timeoutMs,
  );
  try {
    return { status, json: JSON.parse(text) as Record<string, unknown> };
  } catch (cause) {
    throw new CodedError("request_refused", "what answers there is no Hexbeacon validator", cause);
  }
}

const connectionOf = (address: AdminAddress): RequestOptions =>
  "socket" in address
    ? { socketPath: address.socket }
    : { host: address.url.hostname.replace(/^\[|\]$/g, ""), port: address.url.port };

function exchange(
  options: RequestOptions,
  body: Uint8Array,
  address: AdminAddress,
  timeoutMs: number,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(cause instanceof CodedError ? cause : describeFailure(cause, address));
    const request = httpRequest({ ...options, agent: false, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES)
          request.destroy(new CodedError("answer_oversized", "the validator answers too much"));
        else chunks.push(chunk);
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
      response.on("error", fail);
    });
    request.on("timeout", () =>
      request.destroy(new CodedError("request_timeout", `no answer within ${timeoutMs / 1_000} s`)),
    );
    request.on("error", fail);
    request.end(body);
  });
}

function describeFailure(cause: Error, address: AdminAddress): CodedError {
  const where = "socket" in address ? address.socket : address.url.origin;
  const hint =
    systemCodeOf(cause) === "EACCES" ? ": the socket is its owner's alone" : ": does the validator run?";
  return new CodedError("peer_unreachable", `cannot reach ${where}${hint}`, cause);
}
