/**
 * Kills a hotspot's process at random moments and looks at what is left: on the disk, at the validator, on the air. The
 * script plays validator and forwarder; rounds go on only while the hotspot is connected, so that nothing of what it has
 * spooled becomes too old while it is down, and whatever does not arrive has been lost.
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SPOOL_FILE } from "../../node/src/hotspot/spool.ts";
import { decodeSpoolFile } from "../../node/src/hotspot/spoolRecord.ts";
import { equalBytes } from "../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../protocol/src/bytes/hex.ts";
import { createSigningDomains } from "../../protocol/src/crypto/domain.ts";
import { computeCommit, computeTag } from "../../protocol/src/evidence/commitReveal.ts";
import { computeNetworkId } from "../../protocol/src/network/genesis.ts";
import { epochOfRound } from "../../protocol/src/network/parameters.ts";
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { decodeFrame, encodeFrame } from "../../protocol/src/radio/frame.ts";
import { computeEnvelopeId, decodeEnvelope } from "../../protocol/src/wire/envelope.ts";
import { decodeReportBundle } from "../../protocol/src/wire/reports.ts";
import { createRandom } from "../ether/prng.ts";
import { type BarePacketForwarder, openBarePacketForwarder, printElement } from "./barePacketForwarder.ts";
import { type HotspotRig, openHotspotRig } from "./hotspotRig.ts";

const EUI = "aa555a0000000001";
/** A life lasts up to so long beyond its start: several beacons are heard, and an epoch goes by. */
const LONGEST_LIFE_MS = 1_500;
const STEP_MS = 40;
const ROUND_STEPS = 3;
const LAST_LIFE_MS = 90_000;
const TERMINATED_REPORTS = 12;

export type KillFigures = {
  readonly kills: number;
  /** Envelopes that were alive on the disk after some kill, and those of them that the validator never got. */
  readonly spooled: number;
  readonly lost: number;
  readonly beacons: number;
  readonly epochsWithTwo: number;
  readonly damagedBytes: number;
  readonly stopMs: number;
  /** Reports that were heard before SIGTERM and are neither on the disk nor at the validator. */
  readonly unflushed: number;
};

/** @param seed decides the moments; what the processes do in them differs from run to run all the same. */
export async function killAgainAndAgain(kills: number, seed: number): Promise<KillFigures> {
  const rig = await openHotspotRig({ ...PRESETS.test });
  const run = new KillRun(rig);
  try {
    const random = createRandom(seed);
    for (let kill = 0; kill < kills; kill++) await run.liveAndDie(random() * LONGEST_LIFE_MS);
    const last = await run.liveToTheEnd();
    return { kills, ...last };
  } finally {
    await rig.close();
  }
}

class KillRun {
  readonly #rig: HotspotRig;
  /** Ids of envelopes that were found on the disk. */
  readonly #spooled = new Set<string>();
  /** How many frames were asked for in each epoch. */
  readonly #beacons = new Map<number, number>();
  #damagedBytes = 0;
  #round = 0;
  #steps = 0;

  constructor(rig: HotspotRig) {
    this.#rig = rig;
  }

  async liveAndDie(lifeMs: number): Promise<void> {
    const life = await this.#rig.start();
    const forwarder = await this.#attach(life.gwmpPort);
    const endMs = performance.now() + lifeMs;
    while (performance.now() < endMs) await this.#step(forwarder);
    life.signal("SIGKILL");
    await life.exited;
    await forwarder.close();
    const { ids, damagedBytes } = await this.#readSpool();
    for (const id of ids) this.#spooled.add(id);
    this.#damagedBytes += damagedBytes;
  }

  /** Lives until nothing waits any more, and is then asked to stop right after it has heard something. */
  async liveToTheEnd(): Promise<Omit<KillFigures, "kills">> {
    const life = await this.#rig.start();
    const forwarder = await this.#attach(life.gwmpPort);
    const { validator } = this.#rig;
    const isDelivered = (id: string) => validator.submissions.some((one) => encodeHex(one.id) === id);
    const endMs = performance.now() + LAST_LIFE_MS;
    const isDone = () => [...this.#spooled].every(isDelivered) && this.#beacons.size > 0;
    do await this.#step(forwarder);
    while (performance.now() < endMs && !isDone());

    const heard: Uint8Array[] = [];
    const ackedBefore = forwarder.delaysMs.length;
    for (let i = 0; i < TERMINATED_REPORTS; i++) heard.push(this.#hear(forwarder));
    while (forwarder.delaysMs.length < ackedBefore + heard.length) await pause(1);
    const stoppedMs = performance.now();
    life.signal("SIGTERM");
    const how = await life.exited;
    const stopMs = performance.now() - stoppedMs;
    if (how !== 0) throw new Error(`the hotspot did not stop by itself: ${how}`);
    await forwarder.close();
    const { tags } = await this.#readSpool();
    for (const { bundle } of validator.submissions)
      for (const { tag } of bundle.witnesses) tags.add(encodeHex(tag));
    return {
      spooled: this.#spooled.size,
      lost: [...this.#spooled].filter((id) => !isDelivered(id)).length,
      beacons: [...this.#beacons.values()].reduce((sum, count) => sum + count, 0),
      epochsWithTwo: [...this.#beacons.values()].filter((count) => count > 1).length,
      ...{ damagedBytes: this.#damagedBytes, stopMs },
      unflushed: heard.filter((tag) => !tags.has(encodeHex(tag))).length,
    };
  }

  async #attach(port: number): Promise<BarePacketForwarder> {
    const forwarder = await openBarePacketForwarder(port, EUI);
    forwarder.onTransmit = (payload) => {
      const epoch = this.#epochOf(payload);
      this.#beacons.set(epoch, (this.#beacons.get(epoch) ?? 0) + 1);
    };
    return forwarder;
  }

  /** Something is heard, and every third time a round ends, if the hotspot is there to hear of it. */
  async #step(forwarder: BarePacketForwarder): Promise<void> {
    const { validator } = this.#rig;
    this.#hear(forwarder);
    if (this.#steps++ % ROUND_STEPS === 0 && validator.network.peers().length > 0) {
      await validator.advanceTo(++this.#round);
    }
    await pause(STEP_MS);
  }

  /** Reports another hotspot's beacon. @returns its tag. */
  #hear(forwarder: BarePacketForwarder): Uint8Array {
    const frame = { tag: randomBytes(6), secret: randomBytes(16) };
    forwarder.push([printElement(encodeFrame(frame), Math.round(performance.now() * 1_000))]);
    return frame.tag;
  }

  /** The epoch that a frame was made for: its tag is of hotspot, epoch and secret. */
  #epochOf(payload: Uint8Array): number {
    const decoded = decodeFrame(payload);
    if (!decoded.ok) throw new Error(`a beacon that is ${decoded.reason}`);
    const { tag, secret } = decoded.frame;
    const { keyPair, genesis } = this.#rig;
    for (let epoch = epochOfRound(genesis.parameters, this.#round + 1); epoch >= 0; epoch--) {
      if (equalBytes(computeTag(computeCommit(keyPair.publicKey, epoch, secret)), tag)) return epoch;
    }
    throw new Error("a beacon of no epoch");
  }

  /** What is alive on the disk: envelopes' ids, and the tags of the witness reports in them. */
  async #readSpool(): Promise<{ ids: Set<string>; tags: Set<string>; damagedBytes: number }> {
    const domains = createSigningDomains(computeNetworkId(this.#rig.genesis));
    const { records, damagedBytes } = decodeSpoolFile(await readFile(join(this.#rig.home, SPOOL_FILE)));
    const tagsById = new Map<string, string[]>();
    for (const record of records) {
      if (record.kind === "done") {
        tagsById.delete(encodeHex(record.id));
        continue;
      }
      const decoded = decodeEnvelope(record.envelope);
      if (!decoded.ok) throw new Error(`an envelope on the disk that is ${decoded.reason}`);
      const bundle = decodeReportBundle(decoded.envelope.body)!;
      const id = encodeHex(computeEnvelopeId(domains, decoded.envelope));
      tagsById.set(
        id,
        bundle.witnesses.map(({ tag }) => encodeHex(tag)),
      );
    }
    return { ids: new Set(tagsById.keys()), tags: new Set([...tagsById.values()].flat()), damagedBytes };
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
