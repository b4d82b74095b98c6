/** A beaconer with everything around it played by a test: what it transmits and sends, the rounds it hears, its crashes. */
import { randomBytes } from "node:crypto";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { type Beaconer, type BeaconerOptions, createBeaconer } from "../../../node/src/hotspot/beaconer.ts";
import { createHotspotEmitter } from "../../../node/src/hotspot/events.ts";
import { openFirstChallenge } from "../../../node/src/hotspot/firstChallenge.ts";
import type { NewestRound } from "../../../node/src/hotspot/roundFollower.ts";
import type { ForwarderStatus, TransmitRequest, TransmitResult } from "../../../node/src/radio/radio.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { epochOfRound, type Parameters } from "../../../protocol/src/network/parameters.ts";
import { encodeReportBundle, type ReportBundle } from "../../../protocol/src/wire/reports.ts";
import { FakeRadio } from "./fakeRadio.ts";

export const NETWORK_ID = new Uint8Array(32);
export const DOMAINS = createSigningDomains(NETWORK_ID);

/** Where it stands, and the seed of epoch 0; of others it never hears. */
export type Surroundings = Omit<BeaconerOptions, "networkId" | "lowestPowerDbm" | "cosign" | "domains"> & {
  readonly lowestPowerDbm?: number;
  readonly cosign?: BeaconerOptions["cosign"];
  readonly seed: Uint8Array;
};

/** What the world has seen, over all lives of a hotspot. */
export type World = {
  readonly transmitted: TransmitRequest[];
  readonly sent: Map<string, ReportBundle>;
  readonly sentInRound: { readonly kind: "beacon" | "reveal"; readonly round: number }[];
  includedRound: number | null;
  forwarders: readonly ForwarderStatus[];
  nowMs: () => number;
  elapsedMs: () => number;
  knowsHotspot: boolean;
  transmit: (request: TransmitRequest) => Promise<TransmitResult>;
  /** Called at each step that a crash may come at. */
  step: () => Promise<void>;
};

/** Queued at the power asked for. */
export const queued = (request: TransmitRequest): TransmitResult => ({
  status: "queued",
  forwarderEui: "00",
  powerDbm: request.powerDbm,
  acknowledged: true,
  tmstUs: null,
});

/** A world in which everything goes well. */
export function createWorld(): World {
  const world: World = {
    transmitted: [],
    sent: new Map(),
    sentInRound: [],
    includedRound: null,
    forwarders: [],
    nowMs: () => Date.now(),
    // Nobody sets the clock.
    elapsedMs: () => world.nowMs(),
    knowsHotspot: true,
    transmit: async (request) => queued(request),
    step: async () => undefined,
  };
  return world;
}

/** One life: a beaconer, and the rounds that it hears. `crash` settles when a step has hung it up. */
export class Life {
  newest: NewestRound | null = null;
  readonly #callbacks: ((round: NewestRound) => void)[] = [];
  #parameters!: Parameters;
  readonly #followed = new Set<string>();
  beaconer!: Beaconer;

  static async begin(world: World, surroundings: Surroundings): Promise<Life> {
    const life = new Life();
    const { seed, parameters } = surroundings;
    life.#parameters = parameters;
    const idOf = (bundle: ReportBundle) => sha256(encodeReportBundle(bundle));
    life.beaconer = await createBeaconer(
      { networkId: NETWORK_ID, lowestPowerDbm: null, cosign: null, domains: DOMAINS, ...surroundings },
      {
        radio: {
          status: () => ({ ...new FakeRadio().status(), forwarders: world.forwarders }),
          transmit: async (request) => {
            world.transmitted.push(request);
            const result = await world.transmit(request);
            await world.step();
            return result;
          },
        },
        follower: {
          newest: () => life.newest,
          seedOf: (epoch) => (epoch === 0 ? seed : null),
          onRound: (callback) => life.#callbacks.push(callback),
          estimateMsUntil: () => 0,
        },
        outbox: {
          computeId: idOf,
          send: async (bundle) => {
            await world.step();
            const id = idOf(bundle);
            world.sent.set(encodeHex(id), bundle);
            const kind = bundle.beacons.length > 0 ? "beacon" : "reveal";
            world.sentInRound.push({ kind, round: life.newest!.round });
            life.#followed.add(encodeHex(id));
            await world.step();
            return id;
          },
        },
        submitter: {
          watch: () => undefined,
          isFollowed: (id) => life.#followed.has(encodeHex(id)),
          includedRound: () => world.includedRound,
          verdictOf: () => undefined,
        },
        standing: { isKnown: () => world.knowsHotspot },
        firstChallenge: await openFirstChallenge(surroundings.home, NETWORK_ID),
        clock: { ...createSystemClock(), nowMs: () => world.nowMs(), elapsedMs: () => world.elapsedMs() },
        log: createSilentLog(),
        random: randomBytes,
        events: createHotspotEmitter(),
        onOwnTag: () => undefined,
      },
    );
    life.beaconer.start(new AbortController().signal);
    return life;
  }

  /** Hears a round, and waits for what it sets off; `crash` ends the wait. */
  async hear(round: number, crash: Promise<void>): Promise<void> {
    this.newest = { round, timeMs: 0, epoch: epochOfRound(this.#parameters, round + 1), heardAtMs: 0 };
    for (const callback of this.#callbacks) callback(this.newest);
    await Promise.race([this.beaconer.stopped(), crash]);
  }
}
