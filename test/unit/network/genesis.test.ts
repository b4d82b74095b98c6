/** The genesis file: a golden network id, what is read is what was written, and every fault is reported at once. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { cellFromHex } from "../../../protocol/src/geo/cell.ts";
import { createLedger } from "../../../protocol/src/ledger/state.ts";
import {
  computeNetworkId,
  decodeGenesisJson,
  encodeGenesisJson,
  type Genesis,
} from "../../../protocol/src/network/genesis.ts";
import {
  checkParameterRelations,
  computeParametersHash,
  type Parameters,
} from "../../../protocol/src/network/parameters.ts";
import { PRESET_NAMES, PRESETS } from "../../../protocol/src/network/presets.ts";
import { START_TRUST_PPM } from "../../../protocol/src/trust/startTrust.ts";

const key = (value: number) => new Uint8Array(32).fill(value);
const cell = cellFromHex("8c1fb46741ae9ff")!;
const genesis: Genesis = {
  name: "golden",
  timeMs: 1_700_000_000_000,
  seed: key(7),
  parameters: PRESETS.devnet,
  validators: [{ key: key(1), stake: 1_000_000_000_000n, multiaddrs: ["/ip4/127.0.0.1/tcp/4001"] }],
  accounts: [{ key: key(2), balance: 5n }],
  hotspots: [
    {
      key: key(3),
      owner: key(2),
      cell: (BigInt(cell.hi) << 32n) | BigInt(cell.lo),
      latE7: 488_566_000,
      lngE7: -23_522_000,
      gainCentiDbi: 580,
      elevationM: -3,
      region: "EU868",
    },
  ],
};

const faultsOf = (change: (json: Record<string, never>) => void): readonly string[] => {
  const json = JSON.parse(encodeGenesisJson(genesis));
  change(json);
  const decoded = decodeGenesisJson(JSON.stringify(json));
  return decoded.ok ? [] : decoded.errors;
};

describe("genesis", () => {
  test("reads what it wrote, with the same network id", () => {
    const decoded = decodeGenesisJson(encodeGenesisJson(genesis));
    expect(decoded).toEqual({ ok: true, genesis });
  });

  test("the golden file keeps its network id", () => {
    expect(encodeHex(computeNetworkId(genesis))).toBe(
      "cad90b725835964a24897dcc6be3601759ac6221c2d9d5e065a2f5173a0ba96b",
    );
    expect(encodeHex(computeParametersHash(PRESETS.devnet))).toBe(
      "16d6f9a49af15f1ce5b917cc1d733cf4df9dea9cddc387a0ea601a106aa238a0",
    );
  });

  test("any changed field changes the network id", () => {
    const id = encodeHex(computeNetworkId(genesis));
    const hotspot = genesis.hotspots[0]!;
    const variants: Partial<Genesis>[] = [
      { name: "golden2" },
      { timeMs: genesis.timeMs + 1 },
      { seed: key(8) },
      { parameters: { ...PRESETS.devnet, txFee: 1n } },
      { parameters: { ...PRESETS.devnet, powerStepsDb: [0, 7] } },
      { validators: [{ ...genesis.validators[0]!, stake: 1n }] },
      { accounts: [] },
      { hotspots: [{ ...hotspot, lngE7: hotspot.lngE7 + 1 }] },
      { hotspots: [{ ...hotspot, region: "US915" }] },
      { trustSeeds: [hotspot.key] },
    ];
    const ids = variants.map((variant) => encodeHex(computeNetworkId({ ...genesis, ...variant })));
    expect(new Set([id, ...ids]).size).toBe(variants.length + 1);
  });

  test("reports all faults at once, each with its place", () => {
    const faults = faultsOf((json: Record<string, unknown>) => {
      json.seed = "0x12";
      json.timeMs = -1;
      (json.validators as { key: string }[])[0]!.key = "did:key:nonsense";
      (json.accounts as { balance: string }[])[0]!.balance = "-5";
      Object.assign((json.hotspots as object[])[0]!, { cell: "8a1fb46741affff", region: "MOON1" });
      Object.assign(json.parameters as object, { roundMs: 1.5, txFee: 3, surprise: 1 });
    });
    for (const place of [
      "seed",
      "timeMs",
      "validators[0].key",
      "accounts[0].balance",
      "hotspots[0].cell",
      "hotspots[0].region",
      "parameters.roundMs",
      "parameters.txFee",
      "parameters.surprise",
    ]) {
      expect(
        faults.some((fault) => fault.startsWith(place)),
        `${place} in ${faults.join("; ")}`,
      ).toBe(true);
    }
  });

  test("takes seeds of trust among its hotspots, each once", () => {
    const { key: seed } = genesis.hotspots[0]!;
    const decoded = decodeGenesisJson(encodeGenesisJson({ ...genesis, trustSeeds: [seed] }));
    expect(decoded).toEqual({ ok: true, genesis: { ...genesis, trustSeeds: [seed] } });
    const faults = faultsOf((json: Record<string, unknown>) => {
      const { key } = (json.hotspots as { key: string }[])[0]!;
      json.trustSeeds = [key, key, encodeDidKey(new Uint8Array(32).fill(77))];
    });
    const fault = "must be the did:key of one of the hotspots, each once";
    expect(faults).toEqual([`trustSeeds[1]: ${fault}`, `trustSeeds[2]: ${fault}`]);
  });

  test("refuses doubled keys, no validators and what is not an object", () => {
    const doubled = faultsOf((json: Record<string, unknown>) => {
      const accounts = json.accounts as object[];
      accounts.push(accounts[0]!);
    });
    expect(doubled).toEqual(["accounts[1].key: occurs twice"]);
    const without = faultsOf((json: Record<string, unknown>) => {
      json.validators = [];
    });
    expect(without).toEqual(["validators: at least one is needed"]);
    for (const text of ["", "[]", "null", "5", '{"name":']) expect(decodeGenesisJson(text).ok).toBe(false);
  });

  test("refuses a validator whose stake is below a seat's", () => {
    const faults = faultsOf((json: Record<string, unknown>) => {
      (json.validators as { stake: string }[])[0]!.stake = "999999999999";
    });
    expect(faults).toEqual(["validators[0].stake: must be at least parameters.validatorStake"]);
  });

  test("refuses balances and stakes that are together more than 63 bits", () => {
    const { stake } = genesis.validators[0]!;
    const rest = genesis.accounts.slice(1).reduce((sum, { balance }) => sum + balance, 0n);
    const others = genesis.validators.slice(1).reduce((sum, each) => sum + each.stake, rest + stake);
    const give = (balance: bigint) => (json: Record<string, unknown>) => {
      (json.accounts as { balance: string }[])[0]!.balance = `${balance}`;
    };
    expect(faultsOf(give((1n << 63n) - others))).toEqual([
      "accounts, validators: balances and stakes together must stay below 2^63 base units",
    ]);
    const most = { ...genesis.accounts[0]!, balance: (1n << 63n) - 1n - others };
    const full = { ...genesis, accounts: [most, ...genesis.accounts.slice(1)] };
    expect(decodeGenesisJson(encodeGenesisJson(full))).toEqual({ ok: true, genesis: full });
    createLedger(full);
  });

  test("any JSON at all gives faults and never throws", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(decodeGenesisJson(text).ok).toBe(false);
      }),
    );
  });
});

describe("parameters", () => {
  test.each(PRESET_NAMES)("the preset %s keeps every relation", (name) => {
    expect(checkParameterRelations(PRESETS[name])).toEqual([]);
  });

  const broken: [string, Partial<Parameters>][] = [
    ["roundMs", { roundMs: 10 }],
    ["four pools", { dataPoolPpm: 300_001 }],
    ["beaconToleranceRounds", { beaconToleranceRounds: 30 }],
    ["fit an epoch", { witnessWindowRounds: 28 }],
    ["waitRounds", { waitRounds: 31 }],
    ["waitingPerHotspot", { waitingPerHotspot: 300 }],
    ["activityEpochs", { activityEpochs: 1 }],
    ["2^62", { halvingEpochs: 100_000_000 }],
    ["scoreVersion", { scoreVersion: 3 }],
    ["trustIntervalEpochs", { trustIntervalEpochs: 1 }],
    ["trustWindowEpochs", { trustWindowEpochs: 256 }],
    ["trustPaidMinPpm", { trustPaidMinPpm: 0 }],
    ["trustPaidMinPpm", { trustPaidMinPpm: START_TRUST_PPM + 1 }],
    ["penaltyEpochs", { penaltyEpochs: 3 }],
    ["escrowEpochs", { escrowEpochs: 17 }],
    ["maxPayPerUnit", { maxPayPerUnit: 0n }],
    ["validatorSeats", { validatorSeats: 101 }],
    ["slashPpm", { slashPpm: 1_000_001 }],
    ["evidenceMaxAgeEpochs", { evidenceMaxAgeEpochs: 10 }],
  ];
  test.each(broken)("a broken relation is named: %s", (words, change) => {
    const faults = checkParameterRelations({ ...PRESETS.devnet, ...change });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(words);
  });
});
