/** What a hotspot takes for a receipt of its parcel: an item an envelope, or one for a parcel that was refused whole. */
import { hash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { readReceipt } from "../../../node/src/hotspot/receipt.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { encodeParcel } from "../../../protocol/src/wire/envelope.ts";
import type { Receipt } from "../../../protocol/src/wire/receipts.ts";
import { newKey, signReceipt } from "./fakeValidator.ts";

const domains = createSigningDomains(new Uint8Array(32).fill(7));
const validator = newKey();
const parcel = encodeParcel([new Uint8Array(150).fill(1), new Uint8Array(150).fill(2)]);
const ids = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const digest = hash("sha256", parcel, "buffer");

function read(items: Receipt["items"], signer = validator): Receipt["items"] | null {
  const answer = signReceipt(signer, domains, { round: 5, deadlineRound: 13, items });
  return readReceipt(domains, validator.publicKey, { parcel, ids }, answer)?.items ?? null;
}

describe("a receipt", () => {
  test("says of each envelope, in the parcel's order, what became of it", () => {
    const items = [
      { id: ids[0]!, reason: null },
      { id: ids[1]!, reason: "busy" as const },
    ];
    expect(read(items)).toEqual(items);
    expect(read(items.toReversed())).toBeNull();
    expect(read(items.slice(0, 1))).toBeNull();
    expect(read([...items, items[0]!])).toBeNull();
    expect(read(items, newKey())).toBeNull();
  });

  test("that refuses a parcel whole, by its digest, refuses each of its envelopes for that", () => {
    for (const reason of ["rate_limited", "malformed"] as const)
      expect(read([{ id: digest, reason }])).toEqual(ids.map((id) => ({ id, reason })));
    expect(read([{ id: new Uint8Array(32), reason: "rate_limited" }])).toBeNull();
    expect(read([{ id: digest, reason: "rate_limited" }], newKey())).toBeNull();
  });

  test("admits no parcel whole: nobody has read what is in it", () => {
    for (const reason of [null, "duplicate_message"] as const)
      expect(read([{ id: digest, reason }])).toBeNull();
  });
});
