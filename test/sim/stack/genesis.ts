/** The network that every seed of the stack runs on: short epochs, a few hotspots, and accounts to move tokens between. */
import {
  createSigningDomains,
  type SigningDomains,
  signingMessage,
} from "../../../protocol/src/crypto/domain.ts";
import { createLedger, type Ledger } from "../../../protocol/src/ledger/state.ts";
import { computeNetworkId, type Genesis } from "../../../protocol/src/network/genesis.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { encodeMembership, membershipOf } from "../../../protocol/src/wire/consents.ts";
import { encodeEnvelope, envelopeSigningMessage } from "../../../protocol/src/wire/envelope.ts";
import { encodeReportBundle } from "../../../protocol/src/wire/reports.ts";
import { encodeTransaction, type Transaction } from "../../../protocol/src/wire/transactions.ts";
import { createGenesis, keyOf, siteAt } from "../ledgerWorld.ts";
import { ROUNDS_PER_EPOCH } from "./scenario.ts";
import { signCheaply } from "./signatures.ts";

const HOTSPOTS = 4;
const ACCOUNTS = ["bank", "shop"] as const;

export type StackNetwork = {
  readonly genesis: Genesis;
  readonly networkId: Uint8Array;
  readonly domains: SigningDomains;
  /** The validators' keys, in the order of genesis, and behind them those of who has no seat there. */
  readonly keys: readonly Uint8Array[];
  readonly genesisLedger: Ledger;
};

const networks = new Map<string, StackNetwork>();

/** The network of so many validators, and so many who have no seat yet; made once. */
export function stackNetwork(validators: number, candidates: number): StackNetwork {
  const name = `${validators} ${candidates}`;
  const known = networks.get(name) ?? createNetwork(validators, candidates);
  networks.set(name, known);
  return known;
}

function createNetwork(validators: number, candidates: number): StackNetwork {
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
  const everyone = { length: validators + candidates };
  const keys = Array.from(everyone, (_, position) => keyOf(`validator ${position}`));
  const genesis: Genesis = {
    ...base,
    validators: keys
      .slice(0, validators)
      .map((key) => ({ key, stake: PRESETS.test.validatorStake, multiaddrs: [] })),
    accounts: [...ACCOUNTS.map(keyOf), ...keys].map((key) => ({
      key,
      balance: 2n * PRESETS.test.validatorStake,
    })),
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
  network: StackNetwork,
  epoch: number,
  nonce: number,
  amount: number,
): Uint8Array {
  const [from, to] = ACCOUNTS;
  const transaction = { kind: "transfer", epoch, nonce, to: keyOf(to), amount: BigInt(amount) } as const;
  return makeTransaction(network, keyOf(from), transaction);
}

/** Stakes for a newcomer, which consents. */
export function makeStake(network: StackNetwork, epoch: number, validator: Uint8Array): Uint8Array {
  const sender = keyOf(ACCOUNTS[1]);
  const said = { epoch, validator, multiaddrs: [] };
  const body = encodeMembership(membershipOf(said, sender));
  const validatorSignature = signCheaply(validator, signingMessage(network.domains, "membership", body));
  const amount = PRESETS.test.validatorStake;
  return makeTransaction(network, sender, { kind: "stake", nonce: 0, amount, ...said, validatorSignature });
}

/** A validator that leaves; genesis's stakes are owned by the validators' own accounts. */
export function makeUnstake(network: StackNetwork, epoch: number, validator: Uint8Array): Uint8Array {
  return makeTransaction(network, validator, { kind: "unstake", epoch, nonce: 0, validator });
}

function makeTransaction(
  { domains }: StackNetwork,
  sender: Uint8Array,
  transaction: Transaction,
): Uint8Array {
  const unsigned = { kind: transaction.kind, sender, body: encodeTransaction(transaction) };
  const signature = signCheaply(sender, envelopeSigningMessage(domains, unsigned));
  return encodeEnvelope({ ...unsigned, signature });
}
