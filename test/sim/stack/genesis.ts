/** The network that every seed of the stack runs on: short epochs, a few hotspots, and accounts to move tokens between. */
import { createSigningDomains, type SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { createLedger, type Ledger } from "../../../protocol/src/ledger/state.ts";
import { computeNetworkId, type Genesis } from "../../../protocol/src/network/genesis.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { encodeEnvelope, envelopeSigningMessage } from "../../../protocol/src/wire/envelope.ts";
import { encodeReportBundle } from "../../../protocol/src/wire/reports.ts";
import { encodeTransaction } from "../../../protocol/src/wire/transactions.ts";
import { createGenesis, keyOf, siteAt } from "../ledgerWorld.ts";
import { ROUNDS_PER_EPOCH } from "./scenario.ts";
import { signCheaply } from "./signatures.ts";

const HOTSPOTS = 4;
const ACCOUNTS = ["bank", "shop"] as const;

export type StackNetwork = {
  readonly genesis: Genesis;
  readonly networkId: Uint8Array;
  readonly domains: SigningDomains;
  /** The validators' keys, in the order of genesis. */
  readonly keys: readonly Uint8Array[];
  readonly genesisLedger: Ledger;
};

const networks = new Map<number, StackNetwork>();

/** The network of so many validators; made once. */
export function stackNetwork(validators: number): StackNetwork {
  const known = networks.get(validators) ?? createNetwork(validators);
  networks.set(validators, known);
  return known;
}

function createNetwork(validators: number): StackNetwork {
  const hotspots = Array.from({ length: HOTSPOTS }, (_, index) => ({
    name: `hotspot ${index}`,
    site: siteAt(2_000 * index, 0),
  }));
  const base = createGenesis(hotspots, {
    roundsPerEpoch: ROUNDS_PER_EPOCH,
    beaconToleranceRounds: 1,
    witnessWindowRounds: 1,
    revealWindowRounds: 2,
    waitRounds: 2,
    execLagRounds: 8,
  });
  const keys = Array.from({ length: validators }, (_, position) => keyOf(`validator ${position}`));
  const genesis: Genesis = {
    ...base,
    validators: keys.map((key) => ({ key, stake: PRESETS.test.validatorStake, multiaddrs: [] })),
    accounts: ACCOUNTS.map((name) => ({ key: keyOf(name), balance: 1_000_000_000_000n })),
  };
  const networkId = computeNetworkId(genesis);
  return {
    genesis,
    networkId,
    domains: createSigningDomains(networkId),
    keys,
    genesisLedger: createLedger(genesis),
  };
}

/** A witness report that no beacon waits for, in its hotspot's envelope; `salt` makes it one of its own. */
export function makeReport(
  { domains }: StackNetwork,
  hotspot: number,
  epoch: number,
  salt: number,
): Uint8Array {
  const measurement = {
    rssiDeciDbm: -1_050,
    rssiKind: "channel" as const,
    snrCentiDb: 250,
    freqHz: 868_100_000,
    spreadingFactor: 9,
    bandwidthHz: 125_000,
    timeMs: 1_800_000_000_000,
  };
  const witness = { tag: new Uint8Array(6).fill(salt & 255), proof: keyOf(`proof ${salt}`), measurement };
  const body = encodeReportBundle({ epoch, beacons: [], reveals: [], witnesses: [witness] });
  const unsigned = { kind: "reports" as const, sender: keyOf(`hotspot ${hotspot % HOTSPOTS}`), body };
  const signature = signCheaply(unsigned.sender, envelopeSigningMessage(domains, unsigned));
  return encodeEnvelope({ ...unsigned, signature });
}

/** A transfer between the two accounts. Its nonce may be taken: execution says so, equally everywhere. */
export function makeTransfer(
  { domains }: StackNetwork,
  epoch: number,
  nonce: number,
  amount: number,
): Uint8Array {
  const [from, to] = ACCOUNTS;
  const body = encodeTransaction({
    kind: "transfer",
    epoch,
    nonce,
    to: keyOf(to),
    amount: BigInt(amount),
  });
  const unsigned = { kind: "transfer" as const, sender: keyOf(from), body };
  const signature = signCheaply(unsigned.sender, envelopeSigningMessage(domains, unsigned));
  return encodeEnvelope({ ...unsigned, signature });
}
