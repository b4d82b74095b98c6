/** The commands of an account below the network: what they sign passes admission's signatures and executes. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createChange, signChange } from "../../../node/src/cli/account/change.ts";
import {
  createChangeRequest,
  decodeChangeRequest,
  encodeChangeRequest,
} from "../../../node/src/cli/account/changeRequest.ts";
import { computeSteps, findPlace, registerHotspot } from "../../../node/src/cli/account/registration.ts";
import { openSession } from "../../../node/src/cli/account/session.ts";
import {
  type Claim,
  createAssert,
  createRegister,
  createStake,
  signConsent,
  signTransaction,
} from "../../../node/src/cli/account/signing.ts";
import {
  createSigningRequest,
  decodeSigningRequest,
  encodeSigningRequest,
  REQUEST_EPOCHS,
} from "../../../node/src/cli/account/signingRequest.ts";
import { formatTokens, parseTokens } from "../../../node/src/cli/account/tokens.ts";
import {
  type HotspotAnswer,
  parseApiUrl,
  type ValidatorApi,
} from "../../../node/src/cli/account/validatorApi.ts";
import { describeRefusal } from "../../../node/src/cli/account/words.ts";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import type { Fields } from "../../../node/src/host/jsonFields.ts";
import { verifyDeviceSignature, verifySignature } from "../../../node/src/host/verify.ts";
import { concatBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { type Ed25519KeyPair, sign } from "../../../protocol/src/crypto/ed25519.ts";
import { createP256KeyPair, signP256 } from "../../../protocol/src/crypto/p256.ts";
import { ADMISSION_REASONS, TRANSACTION_REASONS } from "../../../protocol/src/evidence/reasons.ts";
import { cellFromBigint } from "../../../protocol/src/geo/cell.ts";
import { computeCentreDeviationE7 } from "../../../protocol/src/geo/centre.ts";
import { decodeLedgerMessage } from "../../../protocol/src/ledger/bundleDecode.ts";
import { executeRound } from "../../../protocol/src/ledger/execute.ts";
import { createLedger } from "../../../protocol/src/ledger/state.ts";
import type { LedgerMessage } from "../../../protocol/src/ledger/types.ts";
import { BASE_UNITS_PER_TOKEN } from "../../../protocol/src/network/parameters.ts";
import type { Transaction } from "../../../protocol/src/wire/transactions.ts";
import { decodeCandidate } from "../../../validator/src/intake/candidate.ts";
import { contextOf, createTestGenesis, keyNamed, OWNER } from "../validator/support/network.ts";

const context = contextOf(createTestGenesis(1));
const { domains, networkId, parameters } = context;
const HOTSPOT = keyNamed("a hotspot that is new");
const place = await findPlace({
  owner: OWNER.publicKey,
  region: "US915",
  latitude: 46.95,
  longitude: 7.45,
  elevationM: 12,
  gainCentiDbi: 215,
});
const claim: Claim = { networkId, hotspot: HOTSPOT.publicKey, owner: OWNER.publicKey, place };

const verifyClaim = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) =>
  (publicKey.length === 32 ? verifySignature : verifyDeviceSignature)(publicKey, message, signature);

/** Checks every signature that admission would, and gives what execution takes. */
function admit(transaction: Transaction): LedgerMessage {
  const { id, envelope } = signTransaction(domains, OWNER, transaction);
  const decoded = decodeCandidate(envelope, domains);
  if (!decoded.ok) throw new Error(decoded.reason);
  expect(decoded.candidate.id).toEqual(id);
  for (const { publicKey, message, signature } of decoded.candidate.claims) {
    expect(verifyClaim(publicKey, concatBytes(...message), signature)).toBe(true);
  }
  const message = decodeLedgerMessage(envelope, domains);
  if (typeof message === "string") throw new Error(message);
  return message;
}

describe("what hotspot and owner sign", () => {
  test("passes admission's signatures, and gives the hotspot another key", async () => {
    const next = keyNamed("the hotspot's next key");
    const consent = signConsent(domains, HOTSPOT.secretSeed, claim, 0);
    const rotation = { kind: "rotate", hotspot: HOTSPOT.publicKey, key: next.publicKey } as const;
    const signNext = (message: Uint8Array) => sign(next.secretSeed, message);
    const rotationConsent = await signChange(domains, rotation, HOTSPOT.secretSeed, signNext, 0);
    const messages = [
      admit(createRegister(domains, OWNER.secretSeed, claim, consent, 0)),
      admit(createChange(rotation, rotationConsent, 1)),
    ];
    const ledger = createLedger(context.genesis);
    const { timeMs } = context.genesis;
    const round = { round: 0, timeMs, participants: [], evidence: [], lanes: [] };
    const { transactions } = executeRound(ledger, { ...round, messages });
    expect(transactions.map(({ reason }) => reason)).toEqual([null, null]);
    expect(ledger.registry.find(next.publicKey)).not.toBeNull();
    // Without the new key's consent anybody could be given somebody else's hotspot.
    const alone = createChange(rotation, { ...rotationConsent, keySignature: new Uint8Array(64) }, 1);
    const decoded = decodeCandidate(signTransaction(domains, OWNER, alone).envelope, domains);
    const claims = decoded.ok ? decoded.candidate.claims : [];
    const verdicts = claims.map(({ publicKey, message, signature }) =>
      verifySignature(publicKey, concatBytes(...message), signature),
    );
    expect(verdicts).toEqual([true, true, false]);
  });

  test("passes admission's signatures, registers the hotspot, asserts its place and ends it", () => {
    const consent = signConsent(domains, HOTSPOT.secretSeed, claim, 0);
    const messages = [
      admit(createRegister(domains, OWNER.secretSeed, claim, consent, 0)),
      admit(createAssert(claim, consent, 1)),
      admit({ kind: "deregister", epoch: 0, nonce: 2, hotspot: HOTSPOT.publicKey }),
    ];
    const ledger = createLedger(context.genesis);
    const timeMs = context.genesis.timeMs;
    const result = executeRound(ledger, {
      round: 0,
      timeMs,
      messages,
      participants: [],
      evidence: [],
      lanes: [],
    });
    expect(result.transactions.map(({ reason }) => reason)).toEqual([null, null, null]);
    expect(ledger.viewHotspot(HOTSPOT.publicKey)).toMatchObject({
      owner: OWNER.publicKey,
      bond: parameters.hotspotBond,
      assertion: { ...place, region: "US915", fromEpoch: 1 },
      leavingUntilEpoch: parameters.unbondEpochs,
    });
  });

  test("passes admission's signatures, stakes for a validator that consents, and takes it back", () => {
    const stake = (validator = HOTSPOT, owner = OWNER.publicKey) =>
      createStake(domains, validator, {
        owner,
        epoch: 0,
        nonce: 0,
        amount: parameters.validatorStake,
        multiaddrs: ["/dns4/v.example/tcp/1"],
      });
    const messages = [
      admit(stake()),
      admit({ kind: "unstake", epoch: 0, nonce: 1, validator: HOTSPOT.publicKey }),
    ];
    const ledger = createLedger(context.genesis);
    const input = { messages, participants: [], evidence: [], lanes: [] };
    const result = executeRound(ledger, { round: 0, timeMs: context.genesis.timeMs, ...input });
    expect(result.transactions.map(({ reason }) => reason)).toEqual([null, null]);
    expect(ledger.viewValidator(HOTSPOT.publicKey)).toMatchObject({
      owner: OWNER.publicKey,
      stake: parameters.validatorStake,
      multiaddrs: ["/dns4/v.example/tcp/1"],
      unbondingUntilEpoch: parameters.unbondEpochs,
    });
    // A consent to one account's stake is none to another's, nor to other addresses.
    for (const change of [{ ...stake(HOTSPOT, HOTSPOT.publicKey) }, { ...stake(), multiaddrs: [] }]) {
      const decoded = decodeCandidate(signTransaction(domains, OWNER, change).envelope, domains);
      if (!decoded.ok) throw new Error(decoded.reason);
      const [, consent] = decoded.candidate.claims;
      const { publicKey, message, signature } = consent!;
      expect(publicKey).toEqual(HOTSPOT.publicKey);
      expect(verifySignature(publicKey, concatBytes(...message), signature)).toBe(false);
    }
  });

  test("the asserted centre is the cell's", () => {
    expect(computeCentreDeviationE7(cellFromBigint(place.cell)!, place.latE7, place.lngE7)).toBe(0);
  });
});

describe("a request to change a hotspot", () => {
  const device = createP256KeyPair(new Uint8Array(32).fill(7));
  const next = keyNamed("the hotspot's next key");
  const CHANGES = [
    {
      change: { kind: "rotate", hotspot: HOTSPOT.publicKey, key: next.publicKey },
      signWithKey: (message: Uint8Array) => sign(next.secretSeed, message),
    },
    {
      change: { kind: "bind", hotspot: HOTSPOT.publicKey, key: device.publicKey },
      signWithKey: async (message: Uint8Array) => signP256(device.secret, message),
    },
  ] as const;

  test.each(CHANGES)(
    "to $change.kind comes back as it was written, and not when it was changed",
    async (each) => {
      const { change, signWithKey } = each;
      const signers = { hotspotSeed: HOTSPOT.secretSeed, signWithKey };
      const request = await createChangeRequest({ networkId, change }, signers, 7, 3);
      const text = encodeChangeRequest(request);
      const decode = (json: unknown, most = 3) => decodeChangeRequest(json as Fields, most);
      expect(decode(JSON.parse(text))).toEqual({ ok: true, value: request });
      expect(decode(JSON.parse(text), 2).ok).toBe(false);
      type Json = { consents: Record<string, unknown>[] } & Record<string, unknown>;
      const changes: ((json: Json) => void)[] = [
        (json) => (json.hotspot = encodeDidKey(keyNamed("thief").publicKey)),
        (json) => (json.key = encodeDidKey(keyNamed("thief").publicKey)),
        (json) => (json.kind = change.kind === "bind" ? "rotate" : "bind"),
        (json) => (json.network = encodeHex0x(new Uint8Array(32))),
        (json) => (json.consents[1]!.epoch = 9),
        (json) => (json.consents[1]!.key = json.consents[0]!.key),
        (json) => (json.consents[1]!.hotspot = json.consents[0]!.hotspot),
        (json) => (json.consents = []),
      ];
      for (const spoil of changes) {
        const json = JSON.parse(text) as Json;
        spoil(json);
        expect(decode(json).ok).toBe(false);
      }
    },
  );

  test("passes admission with both consents, binds the device, and with one of them does not pass", async () => {
    const [, { change, signWithKey }] = CHANGES;
    const consent = await signChange(domains, change, HOTSPOT.secretSeed, signWithKey, 0);
    const judge = (transaction: Transaction) => {
      const decoded = decodeCandidate(signTransaction(domains, OWNER, transaction).envelope, domains);
      const claims = decoded.ok ? decoded.candidate.claims : [];
      return claims.map(({ publicKey, message, signature }) =>
        verifyClaim(publicKey, concatBytes(...message), signature),
      );
    };
    expect(judge(createChange(change, consent, 0))).toEqual([true, true, true]);
    const spoilt = (part: Partial<typeof consent>) => judge(createChange(change, { ...consent, ...part }, 0));
    expect(spoilt({ keySignature: consent.hotspotSignature })).toEqual([true, true, false]);
    expect(spoilt({ hotspotSignature: consent.keySignature })).toEqual([true, false, true]);
    expect(spoilt({ epoch: 1 })).toEqual([true, false, false]);
  });
});

describe("a signing request", () => {
  const request = createSigningRequest(HOTSPOT.secretSeed, claim, 7);
  const text = encodeSigningRequest(request);

  test("comes back as it was written, with a consent for each epoch", () => {
    expect(decodeSigningRequest(text)).toEqual({ ok: true, value: request });
    const epochs = request.consents.map(({ epoch }) => epoch);
    expect(epochs).toEqual(Array.from({ length: REQUEST_EPOCHS }, (_, i) => 7 + i));
  });

  test("that was changed anywhere is refused", () => {
    type Json = { consents: { epoch: number }[]; place: Record<string, unknown> } & Record<string, unknown>;
    const changes: ((json: Json) => void)[] = [
      (json) => (json.owner = encodeDidKey(keyNamed("thief").publicKey)),
      (json) => (json.hotspot = encodeDidKey(keyNamed("thief").publicKey)),
      (json) => (json.network = encodeHex0x(new Uint8Array(32))),
      (json) => (json.place.gainCentiDbi = 1_500),
      (json) => (json.place.region = "EU868"),
      (json) => (json.place.latE7 = 2 ** 40),
      (json) => (json.consents[3]!.epoch += 1),
      (json) => (json.consents = []),
      (json) => (json.format = "other"),
    ];
    for (const change of changes) {
      const json = JSON.parse(text) as Json;
      change(json);
      expect(decodeSigningRequest(JSON.stringify(json)).ok).toBe(false);
    }
  });

  test("holds a binding to a device, of that hotspot and network only", async () => {
    const device = createP256KeyPair(new Uint8Array(32).fill(7));
    const signWithKey = async (message: Uint8Array) => signP256(device.secret, message);
    const bindingOf = (hotspot: Ed25519KeyPair, network = networkId) =>
      createChangeRequest(
        {
          networkId: network,
          change: { kind: "bind", hotspot: hotspot.publicKey, key: device.publicKey },
        },
        { hotspotSeed: hotspot.secretSeed, signWithKey },
        7,
        2,
      );
    const withBinding = { ...request, binding: await bindingOf(HOTSPOT) };
    expect(decodeSigningRequest(encodeSigningRequest(withBinding))).toEqual({ ok: true, value: withBinding });
    for (const binding of [
      await bindingOf(keyNamed("another hotspot")),
      await bindingOf(HOTSPOT, new Uint8Array(32)),
    ]) {
      expect(decodeSigningRequest(encodeSigningRequest({ ...request, binding })).ok).toBe(false);
    }
  });

  test("of any text is read without a fault", () => {
    fc.assert(fc.property(fc.string(), (any) => void decodeSigningRequest(any)));
    fc.assert(fc.property(fc.json(), (any) => !decodeSigningRequest(any).ok));
  });
});

const asserted = { cell: "8c1f8342cc609ff", gainCentiDbi: 215, elevationM: 12, region: "US915" };
const known: HotspotAnswer = {
  owner: encodeDidKey(OWNER.publicKey),
  status: "idle",
  leavingUntilEpoch: null,
  device: null,
  assertion: asserted,
};

describe("what is left to do", () => {
  test.each([
    ["never registered", null, { ok: true, registers: true, asserts: true }],
    [
      "its bond has returned",
      { ...known, status: "gone", leavingUntilEpoch: 3 },
      { ok: true, registers: true },
    ],
    ["no place yet", { ...known, assertion: null }, { ok: true, registers: false, asserts: true }],
    [
      "another antenna",
      { ...known, assertion: { ...asserted, gainCentiDbi: 300 } },
      { ok: true, asserts: true },
    ],
    ["all is there", known, { ok: true, registers: false, asserts: false }],
    ["another's", { ...known, owner: encodeDidKey(HOTSPOT.publicKey) }, { ok: false }],
    ["leaving", { ...known, leavingUntilEpoch: 9 }, { ok: false }],
  ] as const)("%s", (_, answer, steps) => {
    expect(computeSteps(claim, answer)).toMatchObject(steps);
  });
});

describe("before anything is sent", () => {
  /** A validator that tells of a balance, and to which nothing may be sent. */
  const poor = (balance: bigint | null, id = networkId): ValidatorApi => ({
    getStatus: async () => ({ networkId: encodeHex0x(id), epoch: 0 }),
    getAccount: async () => (balance === null ? null : { balance, earned: 0n, nonce: 0 }),
    getHotspot: async () => null,
    getTrust: () => Promise.reject(new Error("asked")),
    isNewToTrust: () => Promise.reject(new Error("asked")),
    getCounterparts: async () => [],
    getAddresses: async () => null,
    getTransaction: async () => null,
    submit: async () => {
      throw new Error("sent");
    },
  });
  const attempt = async (api: ValidatorApi, change: Partial<Claim> = {}) => {
    const parts = { account: OWNER, api, clock: createSystemClock(), say: () => undefined };
    const session = await openSession(context.genesis, parts);
    const its = { ...claim, ...change };
    await registerHotspot(session, its, (epoch) => signConsent(domains, HOTSPOT.secretSeed, its, epoch));
  };

  test("a balance below bond and fees is said, with what is needed", async () => {
    const lacking = poor(parameters.hotspotBond - 1n);
    await expect(attempt(lacking)).rejects.toMatchObject({
      code: "balance_low",
      message: expect.stringContaining(`${formatTokens(parameters.hotspotBond)} tokens are needed`),
    });
    // Whose account is new is told the same, and where to have it paid.
    const amount = formatTokens(parameters.hotspotBond);
    const did = encodeDidKey(OWNER.publicKey);
    await expect(attempt(poor(null))).rejects.toMatchObject({
      code: "balance_low",
      message: expect.stringMatching(`^nothing was ever paid .* ${amount} tokens are needed .*${did}$`),
    });
    await expect(attempt(poor(parameters.hotspotBond))).rejects.toThrow("sent");
  });

  test("another network and another owner are refused", async () => {
    await expect(attempt(poor(1n, new Uint8Array(32)))).rejects.toThrow("another network");
    await expect(attempt(poor(1n), { networkId: new Uint8Array(32) })).rejects.toThrow("another network");
    await expect(attempt(poor(1n), { owner: HOTSPOT.publicKey })).rejects.toThrow("not this account");
  });
});

describe("words and amounts", () => {
  test("tokens are exact", () => {
    const amounts = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n });
    fc.assert(fc.property(amounts, (amount) => parseTokens(formatTokens(amount)) === amount));
    expect(parseTokens("12")).toBe(12n * BASE_UNITS_PER_TOKEN);
    expect(parseTokens("0.00000001")).toBe(1n);
    for (const bad of ["", "0", "-1", "1e3", "0.000000001", "1.", ".5", "1,5", "184467440738"]) {
      expect(parseTokens(bad)).toBeNull();
    }
  });

  test("every reason that a transaction may meet has words; a validator's own text is not repeated", () => {
    for (const reason of [...ADMISSION_REASONS, ...TRANSACTION_REASONS]) {
      expect(describeRefusal(reason)).toMatch(new RegExp(`^${reason} \\(.+\\)$`));
    }
    expect(describeRefusal("\u001b[2J")).toBe("no reason that is known here");
  });

  test("the API's address is http or https", () => {
    expect(parseApiUrl("http://127.0.0.1:8080")?.href).toBe("http://127.0.0.1:8080/");
    expect(parseApiUrl("https://a.example/api")?.href).toBe("https://a.example/api/");
    for (const bad of ["", "127.0.0.1:8080", "ftp://a", "file:///etc", "http://", "http://a/?b"]) {
      expect(parseApiUrl(bad)).toBeNull();
    }
  });
});
