/** The browser's check of a proof, as the page calls it: what it believes, and every way in which it refuses. */
import { describe, expect, test } from "vitest";
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { encodeGenesisJson } from "../../../protocol/src/network/genesis.ts";
import { checkReward, readGenesis } from "../../../validator/explorer/src/light/checkReward.ts";
import { contextOf } from "../validator/support/network.ts";
import { FOUR_GENESIS, proveTotal } from "./provenTotal.ts";

const genesis = FOUR_GENESIS;
const { account, evidence } = proveTotal(123_456_789n);
const did = encodeDidKey(account);

describe("a genesis file", () => {
  test("is known by its hash, however it is written", () => {
    const text = encodeGenesisJson(genesis);
    const id = encodeHex0x(contextOf(genesis).networkId);
    expect(readGenesis(text)?.id).toBe(id);
    expect(readGenesis(JSON.stringify(JSON.parse(text)))?.id).toBe(id);
    expect(readGenesis(text.replace(/"timeMs": [0-9]+/, '"timeMs": 1'))?.id).not.toBe(id);
    for (const none of ["", "{}", "null", "<html>"]) expect(readGenesis(none)).toBeNull();
  });
});

describe("a proof", () => {
  test("proves what an account earned", () => {
    expect(checkReward(evidence, genesis, did)).toEqual({
      valid: true,
      ...{ total: "123456789", epoch: 3, signers: 3, validators: 4, setChanges: 0 },
      ...{ anchorAgeEpochs: 3, isAnchorFresh: true },
    });
  });

  test.each([
    [3, true],
    [2, false],
  ])(
    "three epochs after a genesis whose stakes stay bound for %i has a fresh anchor: %s",
    (unbondEpochs, isAnchorFresh) => {
      const bound = { ...genesis, parameters: { ...genesis.parameters, unbondEpochs } };
      const proven = proveTotal(123_456_789n, bound);
      expect(checkReward(proven.evidence, bound, did)).toMatchObject({ valid: true, isAnchorFresh });
    },
  );

  const { certificate } = evidence;
  const flipped = `${certificate!.slice(0, -1)}${(Number.parseInt(certificate!.at(-1)!, 16) ^ 1).toString(16)}`;
  test.each<[string, unknown, string]>([
    ["another total", { ...evidence, total: "999999999999" }, "Account and total do not hash"],
    [
      "another account",
      { ...evidence, account: encodeDidKey(genesis.validators[0]!.key) },
      "Account and total do not hash",
    ],
    ["a flipped bit of a signature", { ...evidence, certificate: flipped }, "not signed by a quorum"],
    ["no certificate", { ...evidence, certificate: null }, "No quorum had attested the epoch"],
    ["another network", { ...evidence, networkId: `0x${"ab".repeat(32)}` }, "for another network"],
    ["another epoch", { ...evidence, epoch: 2 }, "certificate is of another epoch"],
    ["no form", "nonsense", "does not have the form"],
    ["nothing", null, "does not have the form"],
  ])("with %s is refused in words", (_, lie, words) => {
    const checked = checkReward(lie, genesis, did);
    expect(checked).toMatchObject({ valid: false, sentence: expect.stringContaining(words) });
  });

  test("of somebody else is not this account's", () => {
    const other = encodeDidKey(genesis.validators[0]!.key);
    expect(checkReward(evidence, genesis, other)).toMatchObject({ valid: false });
  });
});
