/** `hexbeacon verify` as someone runs it: files in, words and a status out. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { beforeAll, describe, expect, test } from "vitest";
import { createVerifyCommand } from "../../../node/src/cli/verifyCommand.ts";
import { encodeCheckpoint, encodeRewardEvidence } from "../../../protocol/src/agreement/rewardEvidence.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeNetworkId, encodeGenesisJson, type Genesis } from "../../../protocol/src/network/genesis.ts";
import { computeParametersHash } from "../../../protocol/src/network/parameters.ts";
import { createLightNetwork, keysOf } from "../agreement/lightNetwork.ts";
import { createTestGenesis } from "../validator/support/network.ts";

const base = createTestGenesis(2);
const genesis: Genesis = {
  ...base,
  validators: keysOf(0).map((key) => ({ key, stake: base.parameters.validatorStake, multiaddrs: [] })),
};
const { evidenceOf, checkpointOf } = createLightNetwork(
  computeNetworkId(genesis),
  computeParametersHash(genesis.parameters),
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-verify-"));
  await writeFile(join(folder, "genesis.json"), encodeGenesisJson(genesis));
});

async function put(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Runs `verify --genesis G FLAGS`. */
async function verify(
  flags: readonly string[],
  stdin = "",
): Promise<{ code: number; out: string; err: string }> {
  const said = { out: "", err: "" };
  const sink = (name: keyof typeof said) =>
    new Writable({
      write(chunk, _, done) {
        said[name] += String(chunk);
        done();
      },
    });
  const command = createVerifyCommand({
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: sink("out"),
    stderr: sink("err"),
    exit: (code) => {
      throw new Exit(code);
    },
  });
  try {
    await command.parseAsync(["--genesis", join(folder, "genesis.json"), ...flags], { from: "user" });
    return { code: 0, ...said };
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    return { code: error.code, ...said };
  }
}

describe("hexbeacon verify", () => {
  test("says what was earned, up to when, and how many vouch for it", async () => {
    const evidence = evidenceOf(5);
    const run = await verify(["--reward", await put("reward.json", encodeRewardEvidence(evidence))]);
    expect(run).toMatchObject({ code: 0, err: "" });
    expect(run.out).toContain(`valid: ${encodeDidKey(evidence.proof.account)} (`);
    expect(run.out).toContain("earned: 0.000042 tokens (4200 base units) up to the end of epoch 5\n");
    expect(run.out).toContain("attested by: 3 of 4 validators, 2 changes of the set after genesis\n");
  });

  test("says the same as JSON, from a checkpoint, from standard input", async () => {
    const checkpoint = await put("checkpoint.json", encodeCheckpoint(checkpointOf(3)));
    const text = JSON.stringify(encodeRewardEvidence(evidenceOf(9, 2)));
    const run = await verify(["--reward", "-", "--checkpoint", checkpoint, "--json"], text);
    expect(run).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(run.out)).toMatchObject({
      valid: true,
      total: "11000000000",
      epoch: 9,
      signers: 4,
      validators: 5,
      setChanges: 1,
      anchorAgeEpochs: 6,
      anchorFresh: true,
    });
  });

  test("says when its anchor is older than stakes are locked", async () => {
    const old = genesis.parameters.unbondEpochs + 1;
    const run = await verify(["--reward", await put("late.json", encodeRewardEvidence(evidenceOf(old)))]);
    expect(run.code).toBe(0);
    expect(run.err).toMatch(/^note: genesis is 11 epochs older than the proof; .* --checkpoint/);
  });

  test.each([
    ["root_mismatch", { total: "4201" }],
    ["not_certified", { certificate: null }],
    ["network_mismatch", { networkId: `0x${"00".repeat(32)}` }],
    ["malformed", { setHistory: "none" }],
  ])("refuses with status 1 and %s, in words and as JSON", async (reason, change) => {
    const path = await put("lie.json", { ...encodeRewardEvidence(evidenceOf(5)), ...change });
    const run = await verify(["--reward", path]);
    expect(run.code).toBe(1);
    expect(run.out).toMatch(new RegExp(`^refused: ${reason}\\b.*\\n[A-Z].*\\.\\n$`));
    const asJson = await verify(["--reward", path, "--json"]);
    expect(asJson.code).toBe(1);
    expect(JSON.parse(asJson.out)).toMatchObject({ valid: false, reason, explanation: expect.any(String) });
  });

  test("refuses what is no JSON with status 1", async () => {
    const run = await verify(["--reward", await put("text.json", "not json")]);
    expect([run.code, run.out.split("\n")[0]]).toEqual([1, "refused: malformed (it is no JSON)"]);
  });

  test("ends with status 2 where a file cannot be used at all", async () => {
    const reward = await put("good.json", encodeRewardEvidence(evidenceOf(5)));
    const missing = await verify(["--reward", join(folder, "none.json")]);
    expect(missing).toMatchObject({ code: 2, out: "", err: expect.stringContaining("ENOENT") });
    expect(await verify([])).toMatchObject({
      code: 2,
      err: expect.stringContaining("--reward must name a file"),
    });
    const checkpoint = await put("bad.json", { epoch: 1 });
    const bad = await verify(["--reward", reward, "--checkpoint", checkpoint]);
    expect(bad).toMatchObject({ code: 2, err: expect.stringContaining("networkId must be") });
    const genesisFile = await put("other.json", "{}");
    expect((await verify(["--reward", reward, "--genesis", genesisFile])).code).toBe(2);
    // Refused with 1 it would be taken for a proof that is none.
    expect(await verify(["--reward", reward, "--genesis", folder])).toMatchObject({
      code: 2,
      err: expect.stringContaining(`cannot read ${folder}`),
    });
    const long = await put("long.json", " ".repeat(22_000_000));
    expect(await verify(["--reward", long])).toMatchObject({
      code: 2,
      err: expect.stringContaining("longer than"),
    });
    expect((await verify(["--rewards", reward])).code).toBe(2);
  });
});
