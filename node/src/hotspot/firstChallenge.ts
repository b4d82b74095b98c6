/**
 * The first epoch in which a hotspot can be challenged. After its registration, and after a change of its key, there is
 * no challenge for some epochs, and a beacon in one would be refused. The rounds do not tell. So the command that has
 * seen the transaction through leaves a note in the home; where its owner has sent it from elsewhere, the hotspot leaves
 * one itself once it sees that it is known. The note names its network: a home may be moved to another, whose epochs
 * are others.
 */
import { join } from "node:path";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { readFileIfAny, replaceFile } from "../host/durableFile.ts";

/** The note, in a hotspot's home. */
export const FIRST_CHALLENGE_FILE = "challenged-from";

/** A key counts from the second epoch after the one in which it was changed: docs/protocol/ledger.md, 14.3. */
export const EPOCHS_AFTER_ROTATION = 2;
/** A place is in force from the next epoch, and asked for two epochs before the challenge's: docs/protocol/evidence.md, 10.1. */
export const EPOCHS_AFTER_ASSERTION = 3;
/** The owner asserts the place when the registration is through, which an epoch's end may come between. */
const EPOCHS_AFTER_KNOWN = EPOCHS_AFTER_ASSERTION + 1;

/**
 * From when on a hotspot beacons that has lost the record of its beacons: one of the epoch that it hears first, or of the
 * one before, may have been sent; and what it hears first may be an epoch late.
 */
export const EPOCHS_AFTER_LOSS = 2;

/** Leaves the note durably. A later epoch than the true one only costs beacons. */
export async function saveFirstChallenge(home: string, networkId: Uint8Array, epoch: number): Promise<void> {
  await replaceFile(join(home, FIRST_CHALLENGE_FILE), `${epoch} ${encodeHex(networkId)}\n`);
}

/** Reads a home's note, where there is one of this network. */
export async function openFirstChallenge(home: string, networkId: Uint8Array): Promise<FirstChallenge> {
  const bytes = await readFileIfAny(join(home, FIRST_CHALLENGE_FILE));
  return new FirstChallenge(
    home,
    networkId,
    bytes && parseNote(Buffer.from(bytes).toString("utf8"), networkId),
  );
}

/** The epoch of a note; null where it cannot be understood, or is another network's. Earlier notes name none. */
function parseNote(text: string, networkId: Uint8Array): number | null {
  const [epoch, network] = text.trim().split(" ");
  if (network !== undefined && network !== encodeHex(networkId)) return null;
  return Number.isSafeInteger(Number(epoch)) ? Number(epoch) : null;
}

export class FirstChallenge {
  readonly #home: string;
  readonly #networkId: Uint8Array;
  #noted: number | null;

  constructor(home: string, networkId: Uint8Array, noted: number | null) {
    this.#home = home;
    this.#networkId = networkId;
    this.#noted = noted;
  }

  /** There is no challenge before it; 0 where nothing is noted: the network judges anyhow. */
  get epoch(): number {
    return this.#noted ?? 0;
  }

  /** Notes that no beacon may go out before an epoch, unless a note says later. It counts at once. */
  async postpone(epoch: number): Promise<void> {
    if (epoch <= this.epoch) return;
    await saveFirstChallenge(this.#home, this.#networkId, epoch);
    this.#noted = epoch;
  }

  /**
   * Notes that the network has come to know the hotspot, unless a note says more. It counts at once.
   * @param epoch in which that was seen; the registration may be of the same one.
   */
  async noteKnown(epoch: number): Promise<void> {
    if (this.#noted !== null) return;
    this.#noted = epoch + EPOCHS_AFTER_KNOWN;
    await saveFirstChallenge(this.#home, this.#networkId, this.#noted);
  }
}
