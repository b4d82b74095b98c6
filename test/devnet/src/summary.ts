/** The summary that `npm start -- --summary` writes, and its check of the books. */
import { writeFile } from "node:fs/promises";
import type { EpochTotals } from "./api.ts";
import type { SeveralSummary } from "./several.ts";

/** `roots`: `all replayed equal`, or the epochs whose replay differs. Amounts are decimal strings of base units. */
export type Summary = SeveralSummary & {
  readonly network: string;
  readonly validators: number;
  readonly hotspots: number;
  readonly rounds: number;
  readonly epochs: readonly {
    readonly epoch: number;
    readonly emitted: string;
    readonly carriedIn: string;
    readonly escrowReturned: string;
    readonly paid: string;
    readonly carried: string;
    readonly beacons: number;
    readonly witnesses: { readonly accepted: number; readonly refused: Readonly<Record<string, number>> };
    readonly rewardRoot: string;
    readonly accounts: number;
  }[];
  readonly roots: "all replayed equal" | readonly number[];
};

export type SummaryInput = {
  readonly network: string;
  readonly validators: number;
  readonly hotspots: number;
  readonly rounds: number;
  readonly epochs: readonly EpochTotals[];
  readonly differing: readonly number[];
  readonly several: SeveralSummary;
};

/** Puts the summary together. @throws Error where an epoch's books do not balance: such a summary must not be written. */
export function createSummary(input: SummaryInput): Summary {
  for (const [index, epoch] of input.epochs.entries()) {
    if (epoch.emitted + epoch.carriedIn !== epoch.paid + epoch.carried) {
      throw new Error(`epoch ${epoch.epoch}: emitted + carried in is not paid + carried`);
    }
    const before = input.epochs[index - 1];
    if (before !== undefined && before.carried + epoch.escrowReturned !== epoch.carriedIn) {
      const expected = `what epoch ${before.epoch} carried and what escrow returned`;
      throw new Error(`epoch ${epoch.epoch}: carried in is not ${expected}`);
    }
  }
  return {
    network: input.network,
    validators: input.validators,
    hotspots: input.hotspots,
    rounds: input.rounds,
    epochs: input.epochs.map((epoch) => ({
      epoch: epoch.epoch,
      emitted: epoch.emitted.toString(),
      carriedIn: epoch.carriedIn.toString(),
      escrowReturned: epoch.escrowReturned.toString(),
      paid: epoch.paid.toString(),
      carried: epoch.carried.toString(),
      beacons: epoch.beacons,
      witnesses: { accepted: epoch.witnessesAccepted, refused: epoch.witnessesRefused },
      rewardRoot: epoch.rewardRoot,
      accounts: epoch.accounts,
    })),
    roots: input.differing.length === 0 ? "all replayed equal" : input.differing,
    ...input.several,
  };
}

export async function writeSummary(file: string, summary: Summary): Promise<void> {
  await writeFile(file, `${JSON.stringify(summary, null, 2)}\n`);
}
