/**
 * The simulated ether: stations put frames on air and hear each other's when they end. It keeps what is on air, judges
 * overlaps (co-channel frames of one spreading factor collide; a station that sends is deaf), and wakes up once for
 * each end of a transmission. The same seed gives the same links, receivers and fading.
 */
import assert from "node:assert";
import type { RadioClock } from "../../node/src/radio/radio.ts";
import {
  addPowersDbm,
  CAPTURE_DB,
  CRC_MARGIN_DB,
  computeNoiseDbm,
  computePathLossDb,
  DEMODULATION_LIMIT_DB,
  drawFadingDb,
  drawGhosts,
  drawReceiver,
  type Measurement,
  measureSignal,
  type Receiver,
  type Station,
} from "./channel.ts";
import { createRandom, mixSeed } from "./prng.ts";

/** A frame as a transmitter emits it. */
export type Emission = {
  readonly payload: Uint8Array;
  readonly freqHz: number;
  /** Null: FSK, which no LoRa demodulator hears. */
  readonly spreadingFactor: number | null;
  readonly bandwidthHz: number;
  /** Conducted power. */
  readonly powerDbm: number;
  readonly airtimeUs: number;
  /** Inverted frames are for end devices: concentrators do not hear them, but they disturb. */
  readonly invertedPolarity: boolean;
};

/** A frame as one receiver heard it. Where the checksum is bad, the payload is not what was sent. */
export type EtherReception = Measurement & {
  readonly payload: Uint8Array;
  readonly freqHz: number;
  readonly spreadingFactor: number;
  readonly bandwidthHz: number;
  /** The end of the frame in Unix milliseconds, with microseconds behind the point. */
  readonly endedAtMs: number;
  readonly isCrcGood: boolean;
};

/** A station's end of the ether. */
export type EtherPort = {
  readonly station: Station;
  readonly receiver: Receiver;
  /** Puts a frame on air now. One at a time: the caller queues. */
  transmit(emission: Emission): void;
  /** Calls back at the end of every frame that this station can notice, ghosts included. @returns the unsubscribe. */
  onReceive(callback: (reception: EtherReception) => void): () => void;
  detach(): void;
};

export type EtherCounters = {
  emitted: number;
  received: number;
  ghosts: number;
  /** Of all pairs of frame and receiver: too weak, lost to a collision, or the receiver was sending itself. */
  tooWeak: number;
  collided: number;
  deaf: number;
};

export type Ether = {
  attach(station: Station): EtherPort;
  counters(): Readonly<EtherCounters>;
};

type PortState = {
  readonly station: Station;
  readonly receiver: Receiver;
  readonly callbacks: Set<(reception: EtherReception) => void>;
  emissionCount: number;
};

type OnAir = {
  readonly emission: Emission;
  readonly from: PortState;
  /** Counts the sender's frames: with its name, what the packet's fading is drawn from. */
  readonly sequence: number;
  readonly startMs: number;
  readonly endMs: number;
  isDelivered: boolean;
};

/** Creates an ether. @param options.seed any safe integer. */
export function createEther(options: { seed: number }, modules: { clock: RadioClock }): Ether {
  return new SeededEther(options.seed, modules.clock);
}

class SeededEther implements Ether {
  readonly #seed: number;
  readonly #clock: RadioClock;
  readonly #ports = new Map<string, PortState>();
  /** Frames on air, and those that ended while one of these was: at most two a station, since stations queue. */
  #onAir: OnAir[] = [];
  #wakeUp: { atMs: number; cancel: () => void } | null = null;
  readonly #counters: EtherCounters = {
    emitted: 0,
    received: 0,
    ghosts: 0,
    tooWeak: 0,
    collided: 0,
    deaf: 0,
  };

  constructor(seed: number, clock: RadioClock) {
    this.#seed = seed;
    this.#clock = clock;
  }

  attach(station: Station): EtherPort {
    assert(!this.#ports.has(station.id), "a station is attached once");
    const port: PortState = {
      station,
      receiver: drawReceiver(this.#seed, station.id),
      callbacks: new Set(),
      emissionCount: 0,
    };
    this.#ports.set(station.id, port);
    return {
      station,
      receiver: port.receiver,
      transmit: (emission) => this.#transmit(port, emission),
      onReceive(callback) {
        port.callbacks.add(callback);
        return () => port.callbacks.delete(callback);
      },
      detach: () => {
        port.callbacks.clear();
        this.#ports.delete(station.id);
      },
    };
  }

  counters(): Readonly<EtherCounters> {
    return { ...this.#counters };
  }

  #transmit(from: PortState, emission: Emission): void {
    const startMs = this.#clock.nowMs();
    const endMs = startMs + emission.airtimeUs / 1_000;
    this.#counters.emitted++;
    this.#onAir.push({ emission, from, sequence: from.emissionCount++, startMs, endMs, isDelivered: false });
    this.#sleepUntil(endMs);
  }

  /** Wakes up at the earliest end of a frame on air. */
  #sleepUntil(atMs: number): void {
    if (this.#wakeUp !== null) {
      if (this.#wakeUp.atMs <= atMs) return;
      this.#wakeUp.cancel();
    }
    const delayMs = Math.max(0, Math.ceil(atMs - this.#clock.nowMs()));
    this.#wakeUp = { atMs, cancel: this.#clock.after(delayMs, () => this.#endFrames()) };
  }

  #endFrames(): void {
    // Timers may run a little early: at least the frame that this one was set for has ended.
    const untilMs = Math.max(this.#clock.nowMs(), this.#wakeUp?.atMs ?? 0);
    this.#wakeUp = null;
    const ended = this.#onAir.filter(({ isDelivered, endMs }) => !isDelivered && endMs <= untilMs);
    for (const frame of ended.sort((a, b) => a.endMs - b.endMs)) {
      frame.isDelivered = true;
      this.#deliver(frame);
    }

    const active = this.#onAir.filter(({ isDelivered }) => !isDelivered);
    const earliestStartMs = Math.min(...active.map(({ startMs }) => startMs));
    this.#onAir = this.#onAir.filter(({ endMs }) => endMs > earliestStartMs);
    if (active.length > 0) this.#sleepUntil(Math.min(...active.map(({ endMs }) => endMs)));
  }

  #deliver(frame: OnAir): void {
    const { invertedPolarity, spreadingFactor } = frame.emission;
    if (invertedPolarity || spreadingFactor === null) return;
    const overlapping = this.#onAir.filter(
      (other) => other !== frame && other.startMs < frame.endMs && other.endMs > frame.startMs,
    );
    const rivals = overlapping.filter((other) => isCoChannel(other.emission, frame.emission));
    for (const port of this.#ports.values()) {
      if (port === frame.from || port.callbacks.size === 0) continue;
      if (overlapping.some((other) => other.from === port)) this.#counters.deaf++;
      else for (const reception of this.#receive(port, frame, spreadingFactor, rivals)) hand(port, reception);
    }
  }

  /** What a station notices of a frame: nothing, or the frame itself and then its ghosts. */
  #receive(
    port: PortState,
    frame: OnAir,
    spreadingFactor: number,
    rivals: readonly OnAir[],
  ): EtherReception[] {
    const { emission, endMs } = frame;
    const { payload, freqHz, bandwidthHz } = emission;
    const random = createRandom(
      mixSeed(this.#seed, "packet", frame.from.station.id, frame.sequence, port.station.id),
    );
    const signalDbm = this.#computeSignalDbm(frame, port) + drawFadingDb(random);
    const noiseDbm = computeNoiseDbm(port.receiver, bandwidthHz);
    const sensitivityDbm = noiseDbm + DEMODULATION_LIMIT_DB[spreadingFactor]!;
    if (signalDbm < sensitivityDbm - CRC_MARGIN_DB) {
      this.#counters.tooWeak++;
      return [];
    }
    const rivalsDbm = rivals.map((rival) => this.#computeSignalDbm(rival, port));
    if (rivals.length > 0 && signalDbm - addPowersDbm(...rivalsDbm) < CAPTURE_DB) {
      this.#counters.collided++;
      return [];
    }

    const common = { spreadingFactor, bandwidthHz };
    const isCrcGood = signalDbm >= sensitivityDbm;
    this.#counters.received++;
    const receptions: EtherReception[] = [
      {
        ...common,
        ...measureSignal(port.receiver, signalDbm, bandwidthHz, random),
        payload: isCrcGood ? payload : corrupt(payload, random()),
        freqHz,
        endedAtMs: endMs,
        isCrcGood,
      },
    ];
    for (const { offsetHz, attenuationDb, tmstOffsetUs } of drawGhosts(signalDbm, random)) {
      const ghostDbm = signalDbm - attenuationDb;
      if (ghostDbm < sensitivityDbm) continue;
      this.#counters.ghosts++;
      receptions.push({
        ...common,
        ...measureSignal(port.receiver, ghostDbm, bandwidthHz, random),
        payload,
        freqHz: freqHz + offsetHz,
        endedAtMs: endMs + tmstOffsetUs / 1_000,
        isCrcGood: true,
      });
    }
    return receptions;
  }

  #computeSignalDbm({ emission, from }: OnAir, to: PortState): number {
    const gainsDb = (from.station.gainCentiDbi + to.station.gainCentiDbi) / 100;
    return (
      emission.powerDbm + gainsDb - computePathLossDb(this.#seed, from.station, to.station, emission.freqHz)
    );
  }
}

function hand(port: PortState, reception: EtherReception): void {
  for (const callback of port.callbacks) callback(reception);
}

/** Whether two frames disturb each other: other spreading factors are nearly orthogonal, other channels filtered out. */
function isCoChannel(a: Emission, b: Emission): boolean {
  if (a.spreadingFactor !== b.spreadingFactor) return false;
  return Math.abs(a.freqHz - b.freqHz) < Math.max(a.bandwidthHz, b.bandwidthHz) / 2;
}

/** A copy with one byte changed. @param where in [0, 1). */
function corrupt(payload: Uint8Array, where: number): Uint8Array {
  const copy = Uint8Array.from(payload);
  const index = Math.floor(where * copy.length);
  copy[index] = (copy[index] ?? 0) ^ 0x55;
  return copy;
}
