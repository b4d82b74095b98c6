/**
 * The first epoch in which a hotspot can be challenged. After its registration, and after a change of its key, there is
 * no challenge for some epochs, and a beacon in one would be refused. The rounds do not tell; so the command that has
 * seen the transaction through leaves a note in the home.
 */
import { join } from "node:path";
import { readFileIfAny, replaceFile } from "../host/durableFile.ts";

const NOTE_FILE = "challenged-from";

/** A key counts from the second epoch after the one in which it was changed: docs/protocol/ledger.md, 14.3. */
export const EPOCHS_AFTER_ROTATION = 2;
/** A place is in force from the next epoch, and asked for two epochs before the challenge's: docs/protocol/evidence.md, 10.1. */
export const EPOCHS_AFTER_ASSERTION = 3;

/** Leaves the note durably. A later epoch than the true one only costs beacons. */
export async function saveFirstChallenge(home: string, epoch: number): Promise<void> {
  await replaceFile(join(home, NOTE_FILE), `${epoch}\n`);
}

/** The epoch of the note; 0 where there is none that can be read: the network judges anyhow. */
export async function loadFirstChallenge(home: string): Promise<number> {
  const bytes = await readFileIfAny(join(home, NOTE_FILE));
  const epoch = bytes === null ? 0 : Number(Buffer.from(bytes).toString("utf8"));
  return Number.isSafeInteger(epoch) ? epoch : 0;
}
