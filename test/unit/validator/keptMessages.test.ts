/** What is kept of rounds that have not begun: of everyone a little, however much a hostile one says. */
import { describe, expect, test } from "vitest";
import { MAX_VALUE_BYTES } from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { MAX_VALIDATORS } from "../../../protocol/src/network/parameters.ts";
import {
  type AgreementMessage,
  KEPT_BYTES_PER_VALIDATOR,
  KeptMessages,
} from "../../../validator/src/rounds/keptMessages.ts";

type Certificate = Extract<AgreementMessage, { type: "certificate" }>["certificate"];

const signature = new Uint8Array(64);
const LARGEST = new Uint8Array(MAX_VALUE_BYTES);
const statusOf = (round: number): AgreementMessage => ({
  type: "status",
  status: { round, view: 1, rounds: round },
});
const certificate: Certificate = {
  ...{ kind: "notarize", view: 1, value: "a" },
  ...{ signers: Array.from({ length: 67 }, (_, seat) => seat), proof: {} },
};

function proposalOf(round: number, valueBytes: number, certificates = 0) {
  const justification = new Array<Certificate>(certificates).fill(certificate);
  const statement = { kind: "propose", view: 1, parent: 0, value: "a" } as const;
  const proposal = { ...statement, validator: 0, signature, justification };
  return { type: "proposal", round, proposal, value: LARGEST.subarray(0, valueBytes) } as const;
}

const valuesOf = (kept: KeptMessages) =>
  kept.takeAll().map(({ message }) => (message.type === "proposal" ? (message.value?.length ?? null) : null));

describe("messages of rounds that have not begun", () => {
  test("are the newest sixteen of each, in their order, and nobody's push out another's", () => {
    const kept = new KeptMessages();
    kept.keep("a", statusOf(0));
    for (let round = 1; round <= 16; round++) expect(kept.keep("b", statusOf(round))).toEqual([]);
    expect(kept.keep("b", statusOf(17))).toEqual([statusOf(1)]);
    const rounds = kept.takeAll().map(({ message }) => message.type === "status" && message.status.round);
    expect(rounds).toEqual([0, ...Array.from({ length: 16 }, (_, index) => index + 2)]);
    expect(kept.takeAll()).toEqual([]);
  });

  test("show the newest tips that their author itself sent", () => {
    const [author, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const name = encodeHex(author);
    const tipsOf = (validator: Uint8Array, round: number) =>
      ({ type: "tips", signed: { tips: { validator, round, timeMs: 0, tips: [] }, signature } }) as const;
    const kept = new KeptMessages();
    for (const round of [7, 8]) kept.keep(name, tipsOf(author, round) as unknown as AgreementMessage);
    kept.keep(name, tipsOf(other, 9) as unknown as AgreementMessage);
    kept.keep(name, statusOf(9));
    kept.keep(encodeHex(other), tipsOf(author, 9) as unknown as AgreementMessage);
    expect(kept.tipsOf(author)?.tips.round).toBe(8);
    expect(kept.tipsOf(other)).toBeNull();
  });

  test("have the value that is proposed, or leave it out where it is too large", () => {
    const kept = new KeptMessages();
    kept.keep("a", proposalOf(1, 100_000));
    kept.keep("a", proposalOf(1, 200_000));
    kept.keep("b", proposalOf(1, 200_000));
    kept.keep("c", proposalOf(1, MAX_VALUE_BYTES));
    expect(valuesOf(kept)).toEqual([100_000, null, 200_000, null]);
  });

  test("take a few bytes of everyone, whatever they carry", () => {
    const kept = new KeptMessages();
    for (let peer = 0; peer < MAX_VALIDATORS; peer++) {
      for (let index = 0; index < 20; index++) kept.keep(`${peer}`, proposalOf(1, MAX_VALUE_BYTES, 40));
    }
    let bytes = 0;
    for (const { message } of kept.takeAll()) {
      if (message.type !== "proposal") continue;
      bytes += message.value?.length ?? 0;
      for (const { signers } of message.proposal.justification) bytes += 64 * signers.length;
    }
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(MAX_VALIDATORS * KEPT_BYTES_PER_VALIDATOR);
  });

  test("are not kept at all where one alone is more than that", () => {
    const kept = new KeptMessages();
    const huge = proposalOf(1, 10, 256);
    expect(kept.keep("a", huge)).toEqual([huge]);
    expect(kept.takeAll()).toEqual([]);
  });

  test("are forgotten once their round is decided", () => {
    const kept = new KeptMessages();
    for (const round of [1, 2, 3]) kept.keep("a", statusOf(round));
    kept.forget(2);
    expect(kept.takeAll().map(({ message }) => message)).toEqual([statusOf(3)]);
  });
});
