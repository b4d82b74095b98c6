/**
 * Transmissions under way: each has a token, a time limit and one result. A forwarder acknowledges that it queued a
 * frame, not that it sent it, and queues dozens; so a forwarder is asked for one frame at a time, and for the next
 * only when the one before has left the air.
 */
import { randomInt } from "node:crypto";
import { computeAirtimeUs } from "../../../../protocol/src/radio/airtime.ts";
import type { RadioClock, TransmitFailure, TransmitRequest, TransmitResult } from "../radio.ts";
import { encodePullResp } from "./datagram.ts";
import type { Endpoint, ForwarderEntry } from "./forwarders.ts";
import { encodeTxpk, readTxAck } from "./txpk.ts";

/** A forwarder answers within a millisecond, or never; the rest is room for a slow network. */
const TX_ACK_TIMEOUT_MS = 3_000;
/** From acceptance to the first symbol: a real forwarder's queue plans 80 ms ahead, and is polled every 10 ms. */
const EMISSION_DELAY_MS = 100;

export type TransmitterModules = {
  readonly clock: RadioClock;
  /** Sends a datagram; the callback says whether the operating system took it. */
  readonly send: (bytes: Uint8Array, to: Endpoint, done: (error: Error | null) => void) => void;
};

type Pending = {
  readonly eui: string;
  readonly request: TransmitRequest;
  readonly settle: (result: TransmitResult) => void;
};

export class Transmitter {
  readonly #clock: RadioClock;
  readonly #send: TransmitterModules["send"];
  /** At most one for each forwarder, and so bounded with them. */
  readonly #pendingByToken = new Map<number, Pending>();

  constructor(modules: TransmitterModules) {
    this.#clock = modules.clock;
    this.#send = modules.send;
  }

  /** Asks the forwarder for one frame. @param request a valid one. Resolves within the time limit, never rejects. */
  async transmit(
    forwarder: ForwarderEntry,
    request: TransmitRequest,
    signal: AbortSignal | undefined,
  ): Promise<TransmitResult> {
    if (signal?.aborted) return createFailure("aborted", "no");
    if (forwarder.downlink === null) return createFailure("no_forwarder", "no");
    if (this.#clock.elapsedMs() < forwarder.busyUntilMs) return createFailure("busy", "no");

    // Until the answer comes nobody else may use the transmitter, however long that takes.
    forwarder.busyUntilMs = Number.POSITIVE_INFINITY;
    const result = await this.#exchange(forwarder, forwarder.downlink, request, signal);
    const isOnAir = result.status === "queued" || result.onAir === "possible";
    forwarder.busyUntilMs = isOnAir ? this.#clock.elapsedMs() + computeOccupiedMs(request) : 0;
    return result;
  }

  /** Hands in a TX_ACK. @returns false where nothing waits for this token of this forwarder. */
  receiveTxAck(eui: string, token: number, body: Uint8Array): boolean {
    const pending = this.#pendingByToken.get(token);
    // Tokens are matched within one forwarder: two of them may well use the same numbers.
    if (pending === undefined || pending.eui !== eui) return false;
    const outcome = readTxAck(body);
    if (outcome.status === "failed") {
      pending.settle(outcome);
      return true;
    }
    pending.settle({
      status: "queued",
      forwarderEui: eui,
      powerDbm: outcome.powerDbm ?? pending.request.powerDbm,
      acknowledged: true,
      tmstUs: outcome.tmstUs,
    });
    return true;
  }

  /** Ends what is under way; the frames may have been sent. */
  stop(): void {
    for (const pending of [...this.#pendingByToken.values()]) {
      pending.settle(createFailure("radio_stopped", "possible"));
    }
  }

  #exchange(
    forwarder: ForwarderEntry,
    downlink: Endpoint,
    request: TransmitRequest,
    signal: AbortSignal | undefined,
  ): Promise<TransmitResult> {
    const { eui, version } = forwarder;
    // Version 1 has no answer, and leaves the token's bytes unused.
    const token = version === 1 ? 0 : this.#chooseToken();
    return new Promise((resolve) => {
      const onAbort = () => settle(createFailure("aborted", "possible"));
      const cancelTimeout = this.#clock.after(TX_ACK_TIMEOUT_MS, () =>
        settle(createFailure("no_answer", "possible")),
      );
      const settle = (result: TransmitResult) => {
        cancelTimeout();
        signal?.removeEventListener("abort", onAbort);
        if (version === 2) this.#pendingByToken.delete(token);
        resolve(result);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      if (version === 2) this.#pendingByToken.set(token, { eui, request, settle });
      this.#send(encodePullResp(version, token, encodeTxpk(request)), downlink, (error) => {
        if (error !== null) settle(createFailure("socket_error", "no"));
        else if (version === 1) settle(createUnacknowledged(eui, request.powerDbm));
      });
    });
  }

  /** Random, so that an answer to an earlier run's request cannot pass for one of this. */
  #chooseToken(): number {
    for (;;) {
      const token = randomInt(0x1_0000);
      if (!this.#pendingByToken.has(token)) return token;
    }
  }
}

/** A transmission that failed. @param onAir whether the frame may have been sent all the same. */
export function createFailure(reason: TransmitFailure, onAir: "no" | "possible"): TransmitResult {
  return { status: "failed", reason, onAir };
}

function createUnacknowledged(forwarderEui: string, powerDbm: number): TransmitResult {
  return { status: "queued", forwarderEui, powerDbm, acknowledged: "unknown", tmstUs: null };
}

function computeOccupiedMs(request: TransmitRequest): number {
  const { spreadingFactor, bandwidthHz, payload } = request;
  const airtimeUs = computeAirtimeUs({ spreadingFactor, bandwidthHz, payloadBytes: payload.length });
  return EMISSION_DELAY_MS + Math.ceil(airtimeUs / 1_000);
}
