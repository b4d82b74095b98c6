/** Who may administer: operators by their keys, each request once, within a short time of the validator's clock. */
import { verifySignature } from "../../../node/src/host/verify.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import {
  type AdminRequest,
  type AdminTarget,
  encodeSignedRequest,
  readCredentials,
} from "./signedRequest.ts";

/** Why a request is turned away, cheapest check first. */
export type AdminRefusal =
  | "unsigned"
  | "unknown_operator"
  | "clock_skew"
  | "bad_signature"
  | "replayed"
  | "too_many";

/** A person's machine and the validator's differ by less, or one of them needs its clock set. */
export const ADMIN_WINDOW_MS = 30_000;
/** Requests of two windows that can be told from their repetition: 80 a second, more than any person or script asks. */
const MAX_NONCES = 5_000;

/** Who asked, and the request's one name. */
export type Admitted = {
  readonly operator: Uint8Array;
  readonly nonce: Uint8Array;
  readonly timeMs: number;
};
export type GateVerdict =
  | ({ readonly ok: true } & Admitted)
  | { readonly ok: false; readonly reason: AdminRefusal; readonly operator: Uint8Array | null };

export class Gatekeeper {
  readonly #target: AdminTarget;
  readonly #operators: ReadonlySet<string>;
  readonly #nowMs: () => number;
  /** By nonce, until when a repetition could pass for fresh; in order of arrival. */
  readonly #seen = new Map<string, number>();

  /** @param operators public keys. */
  constructor(target: AdminTarget, operators: readonly Uint8Array[], nowMs: () => number) {
    this.#target = target;
    this.#operators = new Set(operators.map(encodeHex));
    this.#nowMs = nowMs;
  }

  /** A request that was admitted before the validator was started again. */
  remember({ nonce, timeMs }: Pick<Admitted, "nonce" | "timeMs">): void {
    if (timeMs + ADMIN_WINDOW_MS >= this.#nowMs()) this.#seen.set(encodeHex(nonce), timeMs + ADMIN_WINDOW_MS);
  }

  /** @param authorization the request's header; empty where it has none. */
  check(request: AdminRequest, authorization: string): GateVerdict {
    const credentials = readCredentials(authorization);
    if (credentials === null) return { ok: false, reason: "unsigned", operator: null };
    const { operator, timeMs, nonce, signature } = credentials;
    const refuse = (reason: AdminRefusal) => ({ ok: false, reason, operator }) as const;
    if (!this.#operators.has(encodeHex(operator))) return refuse("unknown_operator");
    if (Math.abs(timeMs - this.#nowMs()) > ADMIN_WINDOW_MS) return refuse("clock_skew");
    if (!verifySignature(operator, encodeSignedRequest(this.#target, request, credentials), signature))
      return refuse("bad_signature");
    if (this.#seen.has(encodeHex(nonce))) return refuse("replayed");
    this.#forgetPast();
    if (this.#seen.size >= MAX_NONCES) return refuse("too_many");
    this.#seen.set(encodeHex(nonce), timeMs + ADMIN_WINDOW_MS);
    return { ok: true, operator, nonce, timeMs };
  }

  #forgetPast(): void {
    const nowMs = this.#nowMs();
    for (const [nonce, untilMs] of this.#seen) if (untilMs < nowMs) this.#seen.delete(nonce);
  }
}
