/**
 * The witness: waits for a frame's ghost copies, keeps the strongest, and where it is somebody else's beacon makes one
 * report of it, whose proof binds the measurement to this hotspot's key.
 */
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { computeProof } from "../../../protocol/src/evidence/commitReveal.ts";
import type { Parameters } from "../../../protocol/src/network/parameters.ts";
import { type BeaconFrame, decodeFrame } from "../../../protocol/src/radio/frame.ts";
import { encodeMeasurement, type Measurement } from "../../../protocol/src/wire/reports.ts";
import type { Clock } from "../host/types.ts";
import { GhostFilter, type PacketGroup } from "../radio/gwmp/ghosts.ts";
import type { Radio, ReceivedPacket } from "../radio/radio.ts";
import type { Bundler } from "./bundler.ts";
import type { HotspotEmitter } from "./events.ts";
import type { NotKeptReason, PacketKind, PacketLog } from "./packetLog.ts";

export type WitnessOptions = { readonly hotspot: Uint8Array; readonly parameters: Parameters };
export type WitnessModules = {
  readonly radio: Radio;
  readonly bundler: Bundler;
  readonly packets: PacketLog;
  readonly clock: Clock;
  readonly events: HotspotEmitter;
  /** Told of every packet that was not kept, or was (null). */
  readonly onJudged: (kind: PacketKind, reason: NotKeptReason | null) => void;
};

/** Own beacons are one an epoch; those before this many epochs are not on air any more. */
const OWN_TAGS_KEPT = 16;

export class Witness {
  readonly #options: WitnessOptions;
  readonly #modules: WitnessModules;
  readonly #ghosts = new GhostFilter();
  /** Frames that were reported, in hexadecimal, oldest first: a repetition is no second reception. */
  readonly #heard = new Set<string>();
  readonly #ownTags = new Set<string>();
  #unsubscribe: (() => void)[] = [];
  #cancelTimer: (() => void) | null = null;

  constructor(options: WitnessOptions, modules: WitnessModules) {
    this.#options = options;
    this.#modules = modules;
  }

  start(): void {
    const { radio, packets, onJudged } = this.#modules;
    this.#unsubscribe = [
      radio.onPacket((packet) => this.#offer(packet)),
      radio.onRefused((refused) => {
        packets.addRefused(refused);
        onJudged("other", refused.reason);
      }),
    ];
  }

  /** Stops listening; copies still awaited are judged as they are. */
  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#judge(this.#ghosts.due(Number.POSITIVE_INFINITY));
  }

  /** Notes a tag of this hotspot's own before it is on air, so that its echo is no reception. */
  addOwnTag(tag: Uint8Array): void {
    addBounded(this.#ownTags, encodeHex(tag), OWN_TAGS_KEPT);
  }

  #offer(packet: ReceivedPacket): void {
    this.#judge(this.#ghosts.offer(packet, this.#modules.clock.elapsedMs()));
    this.#schedule();
  }

  #schedule(): void {
    const dueMs = this.#ghosts.nextDueMs();
    if (this.#cancelTimer !== null || dueMs === null) return;
    const { clock } = this.#modules;
    this.#cancelTimer = clock.after(Math.max(0, dueMs - clock.elapsedMs()), () => {
      this.#cancelTimer = null;
      this.#judge(this.#ghosts.due(clock.elapsedMs()));
      this.#schedule();
    });
  }

  #judge(groups: readonly PacketGroup[]): void {
    const { packets, onJudged } = this.#modules;
    for (const group of groups) {
      for (const copy of group.ghosts) {
        const isGhost = copy.forwarderEui === group.strongest.forwarderEui;
        const reason = isGhost ? "ghost_copy" : "other_concentrator";
        packets.addReceived(copy, "ghost", reason);
        onJudged("ghost", reason);
      }
      const { kind, reason } = this.#report(group.strongest);
      packets.addReceived(group.strongest, kind, reason);
      onJudged(kind, reason);
    }
  }

  #report(packet: ReceivedPacket): { kind: PacketKind; reason: NotKeptReason | null } {
    const decoded = decodeFrame(packet.payload);
    if (!decoded.ok) return { kind: "other", reason: decoded.reason };
    const { frame } = decoded;
    if (this.#ownTags.has(encodeHex(frame.tag))) return { kind: "beacon", reason: "own_beacon" };
    // The whole frame, not the tag alone: two beacons may share a tag.
    const key = encodeHex(packet.payload);
    if (this.#heard.has(key)) return { kind: "beacon", reason: "heard_before" };
    const reason = this.#modules.bundler.add(this.#createReport(frame, packet), frame.secret);
    if (reason === null) {
      // Two epochs' quota: an older frame's window has long closed.
      addBounded(this.#heard, key, 2 * this.#options.parameters.reportsPerEpoch);
      const { rssiDeciDbm, snrCentiDb } = packet;
      this.#modules.events.emit("witnessHeard", { tag: frame.tag, rssiDeciDbm, snrCentiDb });
    }
    return { kind: "beacon", reason };
  }

  #createReport(frame: BeaconFrame, packet: ReceivedPacket) {
    const { rssiDeciDbm, rssiKind, snrCentiDb, freqHz, spreadingFactor, bandwidthHz } = packet;
    const measurement: Measurement = {
      rssiDeciDbm,
      rssiKind,
      snrCentiDb,
      freqHz,
      spreadingFactor,
      bandwidthHz,
      timeMs: packet.receivedAtMs,
    };
    const proof = computeProof(frame.secret, this.#options.hotspot, encodeMeasurement(measurement));
    return { tag: frame.tag, proof, measurement };
  }
}

/** Adds to a set that keeps its youngest members only. */
function addBounded(set: Set<string>, value: string, limit: number): void {
  set.delete(value);
  set.add(value);
  if (set.size > limit) {
    const [oldest] = set;
    set.delete(oldest!);
  }
}
