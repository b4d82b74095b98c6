/** A network of one on the `test` preset, its keys, and messages that its hotspots and accounts sign. */

import { createValidatorSet } from "../../../../protocol/src/agreement/certificates.ts";
import { asciiBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { createSigningDomains, signingMessage } from "../../../../protocol/src/crypto/domain.ts";
import { createKeyPair, sign } from "../../../../protocol/src/crypto/ed25519.ts";
import { sha256 } from "../../../../protocol/src/crypto/sha256.ts";
import { cellFromHex, cellToBigint } from "../../../../protocol/src/geo/cell.ts";
import { computeCentre } from "../../../../protocol/src/geo/centre.ts";
import { computeNetworkId, type Genesis } from "../../../../protocol/src/network/genesis.ts";
import { PRESETS } from "../../../../protocol/src/network/presets.ts";
import {
  type EnvelopeKind,
  encodeEnvelope,
  envelopeSigningMessage,
} from "../../../../protocol/src/wire/envelope.ts";
import { encodeReportBundle, type ReportBundle } from "../../../../protocol/src/wire/reports.ts";
import { encodeTransaction, type Transaction } from "../../../../protocol/src/wire/transactions.ts";

/** A key pair with a name, the same in every run. */
export const keyNamed = (name: string) => createKeyPair(sha256(asciiBytes(name)));

export const VALIDATOR = keyNamed("validator");
export const OWNER = keyNamed("owner");
export const hotspotKey = (index: number) => keyNamed(`hotspot ${index}`);

/** An H3 cell of resolution 12 in Lisbon. */
export const CELL = cellFromHex("8c393362ed049ff") ?? cellFromHex("8c2a100d2cb41ff")!;

/** @param hotspots how many stand in genesis. */
export function createTestGenesis(
  hotspots: number,
  timeMs = 1_700_000_000_000,
  parameters: Genesis["parameters"] = PRESETS.test,
): Genesis {
  const centre = computeCentre(CELL);
  return {
    name: "unit test",
    timeMs,
    seed: sha256(asciiBytes("seed")),
    parameters,
    validators: [{ key: VALIDATOR.publicKey, stake: parameters.validatorStake, multiaddrs: [] }],
    accounts: [{ key: OWNER.publicKey, balance: 1_000_000_000_000n }],
    hotspots: Array.from({ length: hotspots }, (_, index) => ({
      key: hotspotKey(index).publicKey,
      owner: OWNER.publicKey,
      cell: cellToBigint(CELL),
      ...centre,
      gainCentiDbi: 200,
      elevationM: 10,
      region: "EU868" as const,
    })),
  };
}

/** Epochs of 20 s, for what a slow machine must do within one: `createTestGenesis` takes it. */
export const LONG_EPOCHS: Genesis["parameters"] = { ...PRESETS.test, roundsPerEpoch: 100 };

/** What everything on a network needs. */
export function contextOf(genesis: Genesis) {
  const networkId = computeNetworkId(genesis);
  const domains = createSigningDomains(networkId);
  const set = createValidatorSet(genesis.validators.map(({ key }) => key));
  return { genesis, networkId, domains, set, parameters: genesis.parameters };
}
export type Context = ReturnType<typeof contextOf>;

type Keys = { readonly publicKey: Uint8Array; readonly secretSeed: Uint8Array };

/** A signed, encoded envelope. */
export function signEnvelope(context: Context, keys: Keys, kind: EnvelopeKind, body: Uint8Array): Uint8Array {
  const unsigned = { kind, sender: keys.publicKey, body };
  const signature = sign(keys.secretSeed, envelopeSigningMessage(context.domains, unsigned));
  return encodeEnvelope({ ...unsigned, signature });
}

/** A bundle with one witness report that nothing matches; `salt` makes it one of its own. */
export function witnessBundle(epoch: number, salt: number): ReportBundle {
  return {
    epoch,
    beacons: [],
    reveals: [],
    witnesses: [
      {
        tag: new Uint8Array(6).fill(salt & 255),
        proof: sha256(asciiBytes(`proof ${salt}`)),
        measurement: {
          rssiDeciDbm: -1_050,
          rssiKind: "channel",
          snrCentiDb: 250,
          freqHz: 868_100_000,
          spreadingFactor: 9,
          bandwidthHz: 125_000,
          timeMs: 1_700_000_000_000,
        },
      },
    ],
  };
}

/** A witness bundle in its hotspot's envelope. */
export function signReports(context: Context, hotspot: number, epoch: number, salt: number): Uint8Array {
  return signEnvelope(
    context,
    hotspotKey(hotspot),
    "reports",
    encodeReportBundle(witnessBundle(epoch, salt)),
  );
}

/** A transaction in its sender's envelope. */
export function signTransaction(context: Context, keys: Keys, transaction: Transaction): Uint8Array {
  return signEnvelope(context, keys, transaction.kind, encodeTransaction(transaction));
}

/** A signature under one of the network's domains. */
export const signBody = (
  context: Context,
  keys: Keys,
  kind: Parameters<typeof signingMessage>[1],
  body: Uint8Array,
) => sign(keys.secretSeed, signingMessage(context.domains, kind, body));
