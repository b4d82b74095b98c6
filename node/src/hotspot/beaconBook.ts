/**
 * What a hotspot remembers of its own beacons and of its time on air while it runs. What has happened holds at once,
 * whatever becomes of the disk: else it would be done once more. What the disk lacks is written at the next occasion.
 */
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { createUsedUpLedger, type Transmission } from "../../../protocol/src/radio/dutyCycle.ts";
import type { RegionPlan } from "../../../protocol/src/radio/regions.ts";
import type { Clock } from "../host/types.ts";
import {
  BEACONS_KEPT,
  type BeaconRecord,
  type BeaconState,
  keepDamagedState,
  loadBeaconState,
  saveBeaconState,
} from "./beaconState.ts";

export type BeaconBookOptions = {
  readonly home: string;
  readonly networkId: Uint8Array;
  readonly hotspot: Uint8Array;
  readonly plan: RegionPlan;
};

/**
 * Opens it with what an earlier process has left. Beacons of another network are as good as absent, since its epochs
 * are not this one's; its time on air counts on. Where the file cannot be read, every budget is taken for used up.
 * @throws CodedError "file_unreadable".
 */
export async function openBeaconBook(
  { home, networkId, hotspot, plan }: BeaconBookOptions,
  clock: Pick<Clock, "nowMs" | "elapsedMs">,
): Promise<BeaconBook> {
  const state = await loadBeaconState(home, hotspot);
  if (state === null) {
    const transmissions = createUsedUpLedger(plan, clock.nowMs());
    return new BeaconBook(home, { networkId, beacons: [], transmissions, powerFloors: [] }, true, clock);
  }
  const isOurs = state.networkId === null || equalBytes(state.networkId, networkId);
  const beacons = isOurs ? state.beacons : [];
  return new BeaconBook(home, { ...state, networkId, beacons }, false, clock);
}

/** Less is a clock that is slewed: it adds up to this before it is followed, since each write wears the card. */
const LEAST_SET_MS = 1_000;

type Changes = Partial<Pick<BeaconState, "transmissions" | "powerFloors">>;

export class BeaconBook {
  readonly #home: string;
  readonly #clock: Pick<Clock, "nowMs" | "elapsedMs">;
  #state: BeaconState;
  #isLost: boolean;
  #isWritten = true;
  /** By how much the wall clock was ahead of the one that nobody sets, when the ledger was last gone by. */
  #aheadMs: number;

  constructor(home: string, state: BeaconState, isLost: boolean, clock: Pick<Clock, "nowMs" | "elapsedMs">) {
    this.#home = home;
    this.#clock = clock;
    this.#state = state;
    this.#isLost = isLost;
    this.#aheadMs = clock.nowMs() - clock.elapsedMs();
  }

  get state(): BeaconState {
    return this.#state;
  }

  /** Whether what was sent before is not known: the file is damaged, and still there. */
  get isLost(): boolean {
    return this.#isLost;
  }

  find(epoch: number): BeaconRecord | undefined {
    return this.#state.beacons.find((beacon) => beacon.epoch === epoch);
  }

  /** Brings the ledger to the wall clock as it is now, which somebody may have set; `flush` brings that to the disk. */
  followClock(): void {
    const { aheadMs, transmissions } = this.#readLedger();
    this.#aheadMs = aheadMs;
    const before = this.#state.transmissions;
    if (transmissions.every((sent, i) => sent === before[i])) return;
    this.#state = { ...this.#state, transmissions };
    this.#isWritten = false;
  }

  /** What was sent, by the wall clock as it is now. It changes nothing: whoever reads does so beside the beaconer's steps. */
  transmissions(): readonly Transmission[] {
    return this.#readLedger().transmissions;
  }

  /** What was sent, by the wall clock as it is now, and how far ahead the clock is that this goes by. */
  #readLedger(): { readonly aheadMs: number; readonly transmissions: readonly Transmission[] } {
    const nowMs = this.#clock.nowMs();
    const aheadMs = nowMs - this.#clock.elapsedMs();
    const setByMs = aheadMs - this.#aheadMs;
    const isSet = Math.abs(setByMs) >= LEAST_SET_MS;
    return {
      aheadMs: isSet ? aheadMs : this.#aheadMs,
      transmissions: shiftLedger(this.#state.transmissions, nowMs, isSet ? setByMs : 0),
    };
  }

  /** Writes over what could not be read, which is kept aside for people. @throws as `flush`. */
  async startOver(): Promise<void> {
    await keepDamagedState(this.#home);
    this.#isWritten = false;
    await this.flush();
    this.#isLost = false;
  }

  /**
   * Notes what has happened; `flush` brings it to the disk. A new beacon stands last, and what has stood there longest
   * goes for it: whatever epochs a file of before networks were told apart names, this one is not forgotten.
   */
  note(beacon: BeaconRecord, changes: Changes = {}): void {
    const before = this.#state.beacons;
    const beacons =
      this.find(beacon.epoch) === undefined
        ? [...before, beacon].slice(-BEACONS_KEPT)
        : before.map((other) => (other.epoch === beacon.epoch ? beacon : other));
    this.#state = { ...this.#state, ...changes, beacons };
    this.#isWritten = false;
  }

  /** Writes what the disk lacks. @throws CodedError "file_unwritable"; then it is still lacking. */
  async flush(): Promise<void> {
    if (this.#isWritten) return;
    const state = this.#state;
    await saveBeaconState(this.#home, state);
    // What was noted meanwhile is still lacking.
    this.#isWritten = state === this.#state;
  }

  /** Writes what is about to happen: it holds only once the disk has it. @throws as `flush`; all is as before then. */
  async prepare(beacon: BeaconRecord, changes: Changes): Promise<void> {
    const before = this.#state;
    try {
      await this.save(beacon, changes);
    } catch (error) {
      this.#state = before;
      throw error;
    }
  }

  /** Notes and writes. @throws as `flush`. */
  async save(beacon: BeaconRecord, changes: Changes = {}): Promise<void> {
    this.note(beacon, changes);
    await this.flush();
  }
}

/**
 * What was sent, after the wall clock was set. Set forwards, what was sent goes along; set back, nothing was sent later
 * than now: neither way is any of the budget forgotten. What stays as it was is the same object.
 * @param setByMs forwards where positive.
 */
function shiftLedger(
  transmissions: readonly Transmission[],
  nowMs: number,
  setByMs: number,
): readonly Transmission[] {
  const forwardsMs = Math.max(0, setByMs);
  return transmissions.map((sent) => {
    const startMs = Math.min(nowMs, sent.startMs + forwardsMs);
    return startMs === sent.startMs ? sent : { ...sent, startMs };
  });
}
