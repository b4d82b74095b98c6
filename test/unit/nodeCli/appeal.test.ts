/**
 * A suspended hotspot's way back by its owner's commands alone, over the real ledger and the real API: suspended from pay,
 * withheld into escrow, appealed, heard, released in full, with exact books.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeTrust } from "../../../node/src/cli/account/trustWords.ts";
import { createValidatorApi } from "../../../node/src/cli/account/validatorApi.ts";
import { createAccountCommand } from "../../../node/src/cli/accountCommand.ts";
import { makePrivateFolder } from "../../../node/src/host/durableFile.ts";
import { writeKeyFile } from "../../../node/src/host/keystore.ts";
import { readTrustAnswer } from "../../../node/src/host/trustAnswer.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { viewAppeal } from "../../../protocol/src/ledger/appeal.ts";
import { computeBooks } from "../../../protocol/src/ledger/books.ts";
import { decodeLedgerMessage } from "../../../protocol/src/ledger/bundleDecode.ts";
import { createLedger } from "../../../protocol/src/ledger/state.ts";
import type { EpochClose } from "../../../protocol/src/ledger/types.ts";
import { computeNetworkId, encodeGenesisJson } from "../../../protocol/src/network/genesis.ts";
import { viewGenesis } from "../../../validator/src/store/genesisViews.ts";
import { createMemoryStore } from "../../store/memoryStore.ts";
import { createFixture, type Fixture } from "../api/apiFixture.ts";
import { RING, runEpoch, strike } from "../ledger/ring.ts";
import { Scenario } from "../ledger/scenario.ts";
import { OWNER } from "../validator/support/network.ts";
import { runCommand } from "./runNode.ts";

/** The first hotspot of the ring is the account's; the findings that are put on it outlast the test. */
const STRUCK_UNTIL = 40;

describe("an owner whose hotspot is suspended from pay", () => {
  let folder: string;
  let scenario: Scenario;
  let fixture: Fixture;
  let commits: Promise<unknown>;
  let did: string;
  let trust: string[];
  let appeal: string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "hexbeacon-appeal-"));
    scenario = new Scenario(RING);
    Object.assign(scenario.hotspot(0), { owner: OWNER.publicKey });
    scenario.ledger = createLedger(scenario.genesis);
    did = encodeDidKey(scenario.hotspot(0).key);
    const store = createMemoryStore(viewGenesis(scenario.ledger));
    commits = Promise.resolve();
    const step = scenario.step.bind(scenario);
    scenario.step = () => {
      const result = step();
      const digest = result.stateDigest;
      const commit = { value: digest, finalCert: digest, result, batchDigests: [], batchSpans: [] };
      commits = commits.then(() => store.commitRound(commit));
      return result;
    };
    const { genesis } = scenario;
    const id = computeNetworkId(genesis);
    const network = { name: genesis.name, id, parameters: genesis.parameters, writeGenesis: () => "" };
    fixture = await createFixture(
      { network },
      {
        store,
        ledger: { rewardProof: async () => null, appeal: async (key) => viewAppeal(scenario.ledger, key) },
        submitTransaction: async (envelope) => {
          const message = decodeLedgerMessage(envelope, createSigningDomains(id));
          if (typeof message === "string") throw new Error(message);
          scenario.put(scenario.round + 1, message);
          scenario.step();
          await commits;
          return { id: message.id, reason: null };
        },
      },
    );
    const url = await fixture.api.listen({ host: "127.0.0.1", port: 0 });
    await makePrivateFolder(join(folder, "account"));
    await writeKeyFile(join(folder, "account", "key"), OWNER.secretSeed);
    writeFileSync(join(folder, "account", "genesis.json"), encodeGenesisJson(genesis));
    trust = ["trust", "--hotspot", did, "--validator", url];
    appeal = ["appeal", "--home", join(folder, "account"), "--hotspot", did, "--validator", url];
  });
  afterEach(() => fixture.api.close());

  const run = (words: readonly string[]) => runCommand(createAccountCommand, {}, ...words);
  const close = async (): Promise<EpochClose> => {
    const closed = runEpoch(scenario);
    await commits;
    return closed;
  };
  const withheldIn = ({ lines }: EpochClose): bigint =>
    lines
      .filter(({ hotspot }) => encodeDidKey(hotspot) === did)
      .reduce((sum, { beaconWithheld, witnessWithheld }) => sum + beaconWithheld + witnessWithheld, 0n);
  const balance = (): bigint => scenario.ledger.viewAccount(OWNER.publicKey)!.balance;
  const ask = async (what: string) => (await fixture.get(`/v1/hotspots/${did}/${what}`)).json();

  /** Four good epochs, then two in which findings withhold its pay. @returns what is held. */
  async function suspend(): Promise<bigint> {
    for (let epoch = 0; epoch < 4; epoch++) await close();
    strike(scenario, 0, STRUCK_UNTIL);
    const held = withheldIn(await close()) + withheldIn(await close());
    expect(held).toBeGreaterThan(0n);
    return held;
  }

  test("sees what is held and why, appeals, is heard, and is paid all of it", async () => {
    expect((await run(trust)).stdout).toContain("whole, and always was\nheld in escrow: nothing\n");
    const held = await suspend();
    const before = balance();
    expect(await ask("trust")).toMatchObject({
      held: `${held}`,
      escrow: [{ owner: encodeDidKey(OWNER.publicKey), amount: `${held}`, untilEpoch: 11 }],
      appeal: { pending: false, decidedFromEpoch: 8, barredUntilEpoch: null },
      current: { suspended: true },
    });
    const seen = (await run(trust)).stdout;
    expect(seen).toContain("trust: 6.25 % since epoch 6 (100 % by its links, times its findings); suspended");
    expect(seen).toContain("found: constant_window (times 25 %, ends with epoch 40): standard deviations");
    expect(seen).toMatch(/^held in escrow: [\d.]+ tokens, which an appeal can release up to epoch 11$/m);

    const said = await run(appeal);
    expect([said.code, said.stderr]).toEqual([0, ""]);
    expect(said.stdout).toMatch(/^evidence: did:key:\S+ \S+\nappeal: sent, .*\nappeal: accepted\n/m);
    expect(said.stdout).toContain("decided at the end of epoch 7");
    const { txFee } = scenario.genesis.parameters;
    expect(balance()).toBe(before - txFee);
    expect((await run(trust)).stdout).toContain("appeal: pending, decided at the end of epoch 7");

    // The rest of the appeal's own epoch stays silent, as slots in it are over.
    expect(withheldIn(scenario.closeEpoch())).toBe(0n);
    const decided = await close();
    const released = held + withheldIn(decided);
    expect(withheldIn(decided)).toBeGreaterThan(0n);
    expect(decided.escrow).toMatchObject({ released, carriedOut: 0n });
    expect(balance()).toBe(before - txFee + released);
    expect(computeBooks(scenario.ledger)).toMatchObject({ escrow: 0n, isBalanced: true });
    const heard = (await run(trust)).stdout;
    expect(heard).toContain("trust: 100 % since epoch 8 (100 % by its links); paid\nheld in escrow: nothing");
    expect(heard).toContain("appeal decided for epoch 8: heard, nothing was found again; all that was held");
    expect((await ask("rewards")).items.at(-1)).toMatchObject({ released: `${released}` });
  });

  test("is a newcomer as long as no computation of trust came after its registration", async () => {
    const { key } = scenario.hotspot(0);
    const { trustIntervalEpochs } = scenario.genesis.parameters;
    const api = createValidatorApi(new URL(trust.at(-1)!));
    // Genesis's are registered as of epoch -2.
    expect(await api.isNewToTrust(key, trustIntervalEpochs - 2)).toBe(true);
    expect(await api.isNewToTrust(key, trustIntervalEpochs - 1)).toBe(false);
  });

  test("is told in words why an appeal is refused", async () => {
    await close();
    const refused = await run(appeal);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("no finding stands against")]);
    await suspend();
    const named = await run([...appeal, "--evidence", encodeDidKey(OWNER.publicKey)]);
    expect([named.code, named.stderr]).toEqual([1, expect.stringContaining("no link with this one")]);
    const faulty = await run(["appeal", "--hotspot", "x", "--evidence", "y"]);
    expect(faulty.code).toBe(2);
    for (const flag of ["--hotspot", "--evidence", "--home", "--validator"])
      expect(faulty.stderr).toContain(`error: ${flag} `);
    const unknown = [...trust.slice(0, 2), encodeDidKey(OWNER.publicKey), ...trust.slice(3)];
    expect((await run(unknown)).stderr).toContain("does not know this hotspot");
  });
});

describe("what a validator says of trust", () => {
  const computation = {
    fromEpoch: 8,
    graphPpm: 1_000_000,
    trustPpm: 62_500,
    suspended: true,
    appealed: true,
    findings: [{ penalty: "of a later release", factorPpm: 62_500, endsEpoch: 20 }],
  };
  const fields = {
    paidMinPpm: 100_000,
    items: [computation],
    escrow: [],
    appeal: { pending: false, decidedFromEpoch: 10, barredUntilEpoch: 12 },
  };

  test("is told of an appeal that was not heard, of one that is barred, and of a hotspot that is gone", () => {
    const words = (answer: object, isNewcomer = false) =>
      describeTrust(readTrustAnswer({ ...fields, ...answer })!, isNewcomer).join("\n");
    expect(words({ items: [] })).toContain("trust: whole, and always was");
    expect(words({ items: [] }, true)).toContain("trust: not computed yet");
    expect(words({})).toContain("not heard, found again: of a later release; nothing was released");
    expect(words({})).toContain("none is heard up to epoch 12, as the hotspot moved");
    expect(words({ appeal: null })).toContain("none can be made of a hotspot that is gone");
    const unreached = { ...computation, graphPpm: 0, trustPpm: 0, suspended: false, findings: [] };
    expect(words({ items: [unreached] })).toContain("not paid, as its links do not reach whom");
    const finding = (penalty: string) => ({ penalty, factorPpm: 400_000, endsEpoch: 20 });
    const twice = { ...finding("place_cap"), factorPpm: 900_000, endsEpoch: 32 };
    const found = words({ items: [{ ...computation, findings: [finding("place_cap"), twice] }] });
    expect(found).toContain("(times 40 %, ends with epoch 20)");
    expect(found).toContain("(times 90 % once the harsher one has ended, ends with epoch 32)");
    // The caps accuse nobody: all is released where only they stand, and they refuse no appeal.
    const capped = {
      ...computation,
      suspended: false,
      findings: [finding("owner_cap"), finding("place_cap")],
    };
    expect(words({ items: [capped] })).toContain(
      "heard, nothing was found again; all that was held was released",
    );
    const partly = { ...capped, findings: [finding("snr_grid"), finding("place_cap")] };
    expect(words({ items: [partly] })).toContain(
      "less was found than before (snr_grid); what that leaves of what",
    );
    expect(words({ items: [{ ...capped, graphPpm: 0 }] })).toContain(
      "not heard, its links do not reach whom",
    );
  });

  test.each([
    { paidMinPpm: "1" },
    { items: null },
    { items: [{ ...computation, trustPpm: -1 }] },
    { items: [{ ...computation, findings: [{}] }] },
    { escrow: [{ amount: 1, untilEpoch: 2 }] },
    { appeal: {} },
    { appeal: { ...fields.appeal, barredUntilEpoch: "never" } },
  ])("is taken for no answer where it has another form: %o", (answer) => {
    expect(readTrustAnswer({ ...fields, ...answer })).toBeNull();
  });
});
