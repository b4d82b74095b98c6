/** What the devnet asks of the validator's HTTP API, like anybody else. */
import { decodeFinalCert } from "../../../protocol/src/agreement/rounds.ts";
import { decodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { EpochJson } from "../../../validator/src/api/schemas/entities.ts";
import type { EpochLine } from "./view.ts";

export type NetworkState = {
  /** The newest executed round. */
  readonly round: number | null;
  readonly epoch: number;
  readonly closedEpoch: number | null;
};

/** A decided round, and the number of the view that decided it: 1 where the first leader led it through. */
export type Decision = { readonly round: number; readonly view: number };

/** A closed epoch as the summary and the view need it. */
export type EpochTotals = EpochLine & {
  readonly carriedIn: bigint;
  /** What came back from escrow into the pools, as part of what they carried in. */
  readonly escrowReturned: bigint;
  readonly accounts: number;
  /** The next epoch's seed, 32 bytes. */
  readonly nextSeed: Uint8Array;
};

/** An answer that is not there yet is no error while a validator starts; one that is late is. */
const TIMEOUT_MS = 5_000;
const EPOCHS_PER_PAGE = 100;

async function getJson<Answer>(url: string): Promise<Answer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

/** Round and epoch now. @throws where the validator does not answer. */
export function fetchState(apiUrl: string): Promise<NetworkState> {
  return getJson<NetworkState>(`${apiUrl}/v1/status`);
}

/** The newest executed round, and in which of its views it was decided. */
export async function fetchDecision(apiUrl: string): Promise<Decision> {
  const latest = await getJson<{ round: number; finalCert: string }>(`${apiUrl}/v1/rounds/latest`);
  return { round: latest.round, view: decodeFinalCert(decodeHex(latest.finalCert)!)!.view };
}

/** All closed epochs after `afterEpoch`, ascending. */
export async function fetchEpochs(apiUrl: string, afterEpoch: number): Promise<EpochTotals[]> {
  const epochs: EpochTotals[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const at: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { items: EpochJson[]; next: string | null } = await getJson(
      `${apiUrl}/v1/epochs?limit=${EPOCHS_PER_PAGE}${at}`,
    );
    const fresh = page.items.filter(({ epoch }) => epoch > afterEpoch);
    epochs.push(...fresh.map(totalsOf));
    // Newest first: a page with an old one is the last that matters.
    cursor = fresh.length === page.items.length ? page.next : null;
  }
  return epochs.reverse();
}

function totalsOf(json: EpochJson): EpochTotals {
  const books = Object.values(json.pools);
  const total = (field: "emitted" | "carriedIn" | "paid" | "carriedOut") =>
    books.reduce((sum, pool) => sum + BigInt(pool[field]), 0n);
  return {
    epoch: json.epoch,
    beacons: json.beacons.closed,
    witnessesAccepted: json.witnesses.accepted,
    witnessesRefused: json.witnesses.refused as Record<string, number>,
    emitted: total("emitted"),
    carriedIn: total("carriedIn"),
    escrowReturned: BigInt(json.escrow.returned),
    paid: total("paid"),
    carried: total("carriedOut"),
    rewardRoot: json.rewardRoot,
    accounts: json.accounts,
    nextSeed: decodeHex(json.nextSeed, 32)!,
  };
}
