/** Writes what accounts earned in an epoch, and what escrow gave back. */
import type { EpochClose } from "../../../../protocol/src/ledger/types.ts";
import { computeEarnings } from "../earnings.ts";
import { toSigned } from "./columns.ts";
import type { WriteStatements } from "./writeStatements.ts";

/** @param positionOf a hotspot's place in the order of registration. */
export function writeEarnings(
  sql: WriteStatements,
  close: EpochClose,
  positionOf: (hotspot: Uint8Array) => number,
): void {
  for (const { account, lines, beaconPaid, witnessPaid, validatorPaid, released } of computeEarnings(close)) {
    const amounts = [beaconPaid, witnessPaid, validatorPaid, released].map(toSigned);
    sql.earning.run(close.epoch, account, lines, ...amounts);
  }
  for (const { hotspot, owner, amount } of close.releases)
    sql.release.run(positionOf(hotspot), close.epoch, owner, toSigned(amount));
}
