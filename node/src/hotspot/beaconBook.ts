/**
 * What a hotspot remembers of its own beacons and of its time on air while it runs. What has happened holds at once,
 * whatever becomes of the disk: else it would be done once more. And nothing more is to be done before the disk has it.
 */
import type { Clock } from "../host/types.ts";
import {
  BEACONS_KEPT,
  type BeaconRecord,
  type BeaconState,
  keepDamagedState,
  saveBeaconState,
} from "./beaconState.ts";
import { followClock } from "./guard.ts";

type Changes = Partial<Pick<BeaconState, "transmissions" | "powerFloors">>;

export class BeaconBook {
  readonly #home: string;
  readonly #clock: Pick<Clock, "nowMs" | "elapsedMs">;
  #state: BeaconState;
  #isWritten = true;
  /** By how much the wall clock was ahead of the one that nobody sets, when the ledger was last gone by. */
  #aheadMs: number;

  /** @param state what an earlier process has left. */
  constructor(home: string, state: BeaconState, clock: Pick<Clock, "nowMs" | "elapsedMs">) {
    this.#home = home;
    this.#clock = clock;
    this.#state = state;
    this.#aheadMs = clock.nowMs() - clock.elapsedMs();
  }

  get state(): BeaconState {
    return this.#state;
  }

  find(epoch: number): BeaconRecord | undefined {
    return this.#state.beacons.find((beacon) => beacon.epoch === epoch);
  }

  /** Brings the ledger to the wall clock as it is now, which somebody may have set. */
  followClock(): void {
    const nowMs = this.#clock.nowMs();
    const aheadMs = nowMs - this.#clock.elapsedMs();
    const transmissions = followClock(this.#state.transmissions, nowMs, aheadMs - this.#aheadMs);
    this.#aheadMs = aheadMs;
    this.#state = { ...this.#state, transmissions };
  }

  /** Writes over what could not be read, which is kept aside for people. @throws as `flush`. */
  async startOver(): Promise<void> {
    await keepDamagedState(this.#home);
    this.#isWritten = false;
    await this.flush();
  }

  /** Notes what has happened; `flush` brings it to the disk. */
  note(beacon: BeaconRecord, changes: Changes = {}): void {
    const others = this.#state.beacons.filter(({ epoch }) => epoch !== beacon.epoch);
    const beacons = [...others, beacon].sort((a, b) => a.epoch - b.epoch).slice(-BEACONS_KEPT);
    this.#state = { ...this.#state, ...changes, beacons };
    this.#isWritten = false;
  }

  /** Writes what the disk lacks. @throws CodedError "file_unwritable"; it is to be tried again before anything else. */
  async flush(): Promise<void> {
    if (this.#isWritten) return;
    await saveBeaconState(this.#home, this.#state);
    this.#isWritten = true;
  }

  /** Notes and writes. @throws as `flush`. */
  async save(beacon: BeaconRecord, changes: Changes = {}): Promise<void> {
    this.note(beacon, changes);
    await this.flush();
  }
}
